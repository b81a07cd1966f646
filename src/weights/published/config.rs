//! Which architecture a published file is for.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    Error, Result,
    autoencoder::{Architecture, AutoencoderKlConfig, AutoencoderTinyConfig},
};

/// Reads diffusers' `config.json` of an `AutoencoderKL` or `AutoencoderTiny`. `file` is for messages.
///
/// # Errors
/// [`Error::ManifestInvalid`] for another class, or a setting that this crate does not compute.
pub fn architecture_from_diffusers(file: &str, text: &str) -> Result<Architecture> {
    let config: Value = serde_json::from_str(text).map_err(|error| invalid(file, error.to_string()))?;
    let read = Fields { file, config: &config };
    match config.get("_class_name").and_then(Value::as_str) {
        Some("AutoencoderKL") => {
            read.demand("act_fn", "silu")?;
            read.demand_channels()?;
            Ok(Architecture::AutoencoderKl(AutoencoderKlConfig {
                block_out_channels: read.numbers("block_out_channels")?,
                layers_per_block: read.number("layers_per_block", 1)?,
                latent_channels: read.number("latent_channels", 4)?,
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
        other => Err(invalid(file, format!("the class {other:?} is not AutoencoderKL or AutoencoderTiny"))),
    }
}

/// The TAESD family needs no configuration: its shapes tell everything.
pub(crate) fn from_shapes(shapes: &BTreeMap<String, Vec<usize>>) -> Result<Architecture> {
    let first = shapes.get("encoder.0.weight").filter(|shape| shape.len() == 4 && shape[1] == 3);
    let latent = shapes.get("decoder.1.weight").filter(|shape| shape.len() == 4);
    let (Some(first), Some(latent)) = (first, latent) else {
        let detail = "the tensors are not of the TAESD family, so diffusers' config.json is needed (--config)";
        return Err(invalid("the weights", detail.into()));
    };
    Ok(Architecture::AutoencoderTiny(AutoencoderTinyConfig {
        width: first[0],
        latent_channels: latent[1],
        encoder_blocks: vec![1, 3, 3, 3],
        decoder_blocks: vec![3, 3, 3, 1],
        pooled: shapes.keys().any(|name| name.contains(".pool.")),
    }))
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

    fn demand(&self, field: &str, wanted: &str) -> Result<()> {
        match self.config.get(field).and_then(Value::as_str) {
            Some(found) if found != wanted => Err(invalid(self.file, format!("{field} {found:?} is not supported"))),
            _ => Ok(()),
        }
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
            (r#"{"_class_name": "VQModel"}"#, "VQModel"),
            (r#"{"_class_name": "AutoencoderKL", "act_fn": "gelu"}"#, "gelu"),
            (r#"{"_class_name": "AutoencoderKL", "block_out_channels": [4, -1]}"#, "block_out_channels"),
            (r#"{"_class_name": "AutoencoderKL", "block_out_channels": [4], "in_channels": 4}"#, "in_channels"),
        ] {
            let error = architecture_from_diffusers("config.json", text).unwrap_err();
            assert!(error.to_string().contains(named), "{error}");
        }
    }
}
