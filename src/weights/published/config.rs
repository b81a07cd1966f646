//! Which architecture a published file is for.

use serde_json::Value;

use crate::{
    Error, Result,
    autoencoder::{
        Architecture, AutoencoderDcConfig, AutoencoderKlConfig, AutoencoderTinyConfig, VqModelConfig, WanConfig,
    },
};

/// Reads diffusers' `config.json` of an autoencoder. `file` is for messages.
///
/// A `VQModel` with spatial norms is Kandinsky's, whose pipelines decode without taking codebook entries
/// (`force_not_quantize`); a field of that name in the configuration decides otherwise.
///
/// # Errors
/// [`Error::ManifestInvalid`] for another class, or a setting that this crate does not compute.
pub fn architecture_from_diffusers(file: &str, text: &str) -> Result<Architecture> {
    let config: Value = serde_json::from_str(text).map_err(|error| invalid(file, error.to_string()))?;
    let read = Fields { file, config: &config };
    match config.get("_class_name").and_then(Value::as_str) {
        Some(class @ ("AutoencoderKL" | "AutoencoderKLFlux2")) => {
            read.demand("act_fn", "silu")?;
            read.demand_channels()?;
            read.demand_absent("decoder_block_out_channels")?;
            let flux2 = class == "AutoencoderKLFlux2";
            Ok(Architecture::AutoencoderKl(AutoencoderKlConfig {
                block_out_channels: read.numbers("block_out_channels")?,
                layers_per_block: read.number("layers_per_block", if flux2 { 2 } else { 1 })?,
                latent_channels: read.number("latent_channels", if flux2 { 32 } else { 4 })?,
                norm_num_groups: read.number("norm_num_groups", 32)?,
                use_quant_conv: read.flag("use_quant_conv", true)?,
                use_post_quant_conv: read.flag("use_post_quant_conv", true)?,
                mid_block_add_attention: read.flag("mid_block_add_attention", true)?,
            }))
        }
        Some("AutoencoderTiny") => {
            read.demand("act_fn", "relu")?;
            read.demand_channels()?;
            let widths = read.numbers("encoder_block_out_channels")?;
            let decoder_widths = read.numbers("decoder_block_out_channels")?;
            let width = widths.first().copied().unwrap_or(0);
            if widths.iter().chain(&decoder_widths).any(|&other| other != width) {
                return Err(invalid(file, "levels of different widths are not supported".into()));
            }
            Ok(Architecture::AutoencoderTiny(AutoencoderTinyConfig {
                width,
                latent_channels: read.number("latent_channels", 4)?,
                encoder_blocks: read.numbers("num_encoder_blocks")?,
                decoder_blocks: read.numbers("num_decoder_blocks")?,
                pooled: false,
            }))
        }
        Some("VQModel") => {
            read.demand("act_fn", "silu")?;
            read.demand_channels()?;
            let spatial_norm = match config.get("norm_type").and_then(Value::as_str) {
                None | Some("group") => false,
                Some("spatial") => true,
                Some(other) => return Err(invalid(file, format!("norm_type {other:?} is not supported"))),
            };
            let latent_channels = read.number("latent_channels", 3)?;
            Ok(Architecture::VqModel(VqModelConfig {
                block_out_channels: read.numbers("block_out_channels")?,
                layers_per_block: read.number("layers_per_block", 1)?,
                latent_channels,
                vq_embed_dim: read.number("vq_embed_dim", latent_channels)?,
                num_vq_embeddings: read.number("num_vq_embeddings", 256)?,
                norm_num_groups: read.number("norm_num_groups", 32)?,
                attention: read.attention()?,
                mid_block_add_attention: read.flag("mid_block_add_attention", true)?,
                spatial_norm,
                quantise: !read.flag("force_not_quantize", spatial_norm)?,
            }))
        }
        Some("AutoencoderKLWan" | "AutoencoderKLQwenImage") => {
            read.demand_absent("patch_size")?;
            read.demand_absent("decoder_base_dim")?;
            if read.flag("is_residual", false)? {
                return Err(invalid(file, "residual levels (Wan 2.2) are not supported".into()));
            }
            if config.get("attn_scales").and_then(Value::as_array).is_some_and(|scales| !scales.is_empty()) {
                return Err(invalid(file, "attention outside the middle is not supported".into()));
            }
            Ok(Architecture::Wan(WanConfig {
                base_dim: read.number("base_dim", 96)?,
                dim_mult: read.numbers("dim_mult")?,
                num_res_blocks: read.number("num_res_blocks", 2)?,
                z_dim: read.number("z_dim", 16)?,
            }))
        }
        Some("AutoencoderDC") => read.dc(),
        other => Err(invalid(file, format!("the class {other:?} is no autoencoder that is known here"))),
    }
}

struct Fields<'a> {
    file: &'a str,
    config: &'a Value,
}

impl Fields<'_> {
    fn number(&self, field: &str, default: usize) -> Result<usize> {
        match self.config.get(field) {
            None | Some(Value::Null) => Ok(default),
            Some(value) => self.as_number(field, value),
        }
    }

    fn numbers(&self, field: &str) -> Result<Vec<usize>> {
        let list = self.config.get(field).and_then(Value::as_array);
        let list = list.ok_or_else(|| invalid(self.file, format!("{field} is not a list")))?;
        list.iter().map(|value| self.as_number(field, value)).collect()
    }

    fn as_number(&self, field: &str, value: &Value) -> Result<usize> {
        let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
        number.ok_or_else(|| invalid(self.file, format!("{field} is not a whole number")))
    }

    fn flag(&self, field: &str, default: bool) -> Result<bool> {
        match self.config.get(field) {
            None | Some(Value::Null) => Ok(default),
            Some(value) => value.as_bool().ok_or_else(|| invalid(self.file, format!("{field} is not true or false"))),
        }
    }

    fn dc(&self) -> Result<Architecture> {
        for (field, wanted) in [("downsample_block_type", "conv"), ("upsample_block_type", "interpolate")] {
            let found = self.config.get(field).and_then(Value::as_str).unwrap_or_default();
            if !found.eq_ignore_ascii_case(wanted) {
                return Err(invalid(self.file, format!("{field} {found:?} is not supported")));
            }
        }
        for (field, wanted) in [("decoder_norm_types", "rms_norm"), ("decoder_act_fns", "silu")] {
            if let Some(found) = self.texts(field).iter().flatten().find(|&found| found != wanted) {
                return Err(invalid(self.file, format!("{field} {found:?} is not supported")));
            }
        }
        for field in ["encoder_out_shortcut", "decoder_in_shortcut"] {
            if !self.flag(field, true)? {
                return Err(invalid(self.file, format!("{field} false is not supported")));
            }
        }
        let widths = self.numbers("encoder_block_out_channels")?;
        let same = |field: &str, other: &str| match self.config.get(field) == self.config.get(other) {
            true => Ok(()),
            false => Err(invalid(self.file, format!("{field} and {other} differ, which is not supported"))),
        };
        same("encoder_block_out_channels", "decoder_block_out_channels")?;
        same("encoder_block_types", "decoder_block_types")?;
        same("encoder_qkv_multiscales", "decoder_qkv_multiscales")?;
        let types = self.texts("encoder_block_types");
        let types = types.ok_or_else(|| invalid(self.file, "encoder_block_types is not a text or a list".into()))?;
        let level = |level: usize| types.get(if types.len() == 1 { 0 } else { level }).map(String::as_str);
        let scales = |level: usize| self.config.get("encoder_qkv_multiscales").and_then(|scales| scales.get(level));
        let attention = (0..widths.len()).map(|index| match level(index) {
            Some("ResBlock") => Ok(false),
            Some("EfficientViTBlock") if scales(index) == Some(&serde_json::json!([5])) => Ok(true),
            other => Err(invalid(self.file, format!("blocks {other:?} of level {index} are not supported"))),
        });
        let silu_out = match self.config.get("decoder_conv_act_fn").and_then(Value::as_str) {
            None | Some("relu") => false,
            Some("silu") => true,
            Some(other) => return Err(invalid(self.file, format!("decoder_conv_act_fn {other:?} is not supported"))),
        };
        Ok(Architecture::AutoencoderDc(AutoencoderDcConfig {
            encoder_layers_per_block: self.numbers("encoder_layers_per_block")?,
            decoder_layers_per_block: self.numbers("decoder_layers_per_block")?,
            attention: attention.collect::<Result<_>>()?,
            attention_head_dim: self.number("attention_head_dim", 32)?,
            latent_channels: self.number("latent_channels", 32)?,
            block_out_channels: widths,
            silu_out,
        }))
    }

    /// A text, or a list of them.
    fn texts(&self, field: &str) -> Option<Vec<String>> {
        match self.config.get(field)? {
            Value::String(text) => Some(vec![text.clone()]),
            Value::Array(list) => list.iter().map(|value| value.as_str().map(String::from)).collect(),
            _ => None,
        }
    }

    fn demand(&self, field: &str, wanted: &str) -> Result<()> {
        match self.config.get(field).and_then(Value::as_str) {
            Some(found) if found != wanted => Err(invalid(self.file, format!("{field} {found:?} is not supported"))),
            _ => Ok(()),
        }
    }

    fn demand_absent(&self, field: &str) -> Result<()> {
        match self.config.get(field) {
            None | Some(Value::Null) => Ok(()),
            Some(found) => Err(invalid(self.file, format!("{field} {found} is not supported"))),
        }
    }

    /// Which levels have attention, the full resolution first; encoder and decoder must agree.
    fn attention(&self) -> Result<Vec<bool>> {
        let levels = |field: &str, plain: &str, attentive: &str| -> Result<Vec<bool>> {
            let types = self.config.get(field).and_then(Value::as_array);
            let types = types.ok_or_else(|| invalid(self.file, format!("{field} is not a list")))?;
            let attention = |value: &Value| match value.as_str() {
                Some(kind) if kind == plain => Ok(false),
                Some(kind) if kind == attentive => Ok(true),
                _ => Err(invalid(self.file, format!("{field}: {value} is not supported"))),
            };
            types.iter().map(attention).collect()
        };
        let down = levels("down_block_types", "DownEncoderBlock2D", "AttnDownEncoderBlock2D")?;
        let mut up = levels("up_block_types", "UpDecoderBlock2D", "AttnUpDecoderBlock2D")?;
        up.reverse();
        if down != up {
            return Err(invalid(self.file, "the decoder has attention at other levels than the encoder".into()));
        }
        Ok(down)
    }

    fn demand_channels(&self) -> Result<()> {
        for field in ["in_channels", "out_channels"] {
            let channels = self.number(field, 3)?;
            if channels != 3 {
                return Err(invalid(self.file, format!("{field} is {channels}, and images have 3")));
            }
        }
        Ok(())
    }
}

fn invalid(file: &str, detail: String) -> Error {
    Error::ManifestInvalid { file: file.into(), detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_classes_and_settings_are_refused_by_name() {
        for (text, named) in [
            ("{", "config.json"),
            (r#"{"_class_name": "UNet2DConditionModel"}"#, "UNet2D"),
            (r#"{"_class_name": "VQModel", "norm_type": "layer"}"#, "norm_type"),
            (r#"{"_class_name": "AutoencoderKLWan", "is_residual": true}"#, "Wan 2.2"),
            (r#"{"_class_name": "AutoencoderKL", "act_fn": "gelu"}"#, "gelu"),
            (r#"{"_class_name": "AutoencoderKL", "block_out_channels": [4, -1]}"#, "block_out_channels"),
            (r#"{"_class_name": "AutoencoderKL", "block_out_channels": [4], "in_channels": 4}"#, "in_channels"),
        ] {
            let error = architecture_from_diffusers("config.json", text).unwrap_err();
            assert!(error.to_string().contains(named), "{error}");
        }
    }
}
