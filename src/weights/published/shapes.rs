//! Which architecture a file is for, from its tensors' names and shapes alone, and what it looks like otherwise.

use std::collections::BTreeMap;

use crate::{
    Error, LoadReport, Result, WrongShape,
    autoencoder::{
        Architecture, AutoencoderDcConfig, AutoencoderKlConfig, AutoencoderTinyConfig, VqModelConfig, WanConfig,
        spec::ParameterSpec,
    },
};

/// Groups of every published `AutoencoderKL` and `VQModel`; no shape shows them.
const GROUPS: usize = 32;

/// Our names and the shapes of a file's tensors.
pub(crate) type Shapes = BTreeMap<String, Vec<usize>>;

/// Recognises the architecture.
///
/// # Errors
/// [`Error::WeightsForeign`] with what the file looks like, [`Error::ManifestInvalid`] if names and shapes are not
/// enough.
pub(crate) fn from_shapes(shapes: &Shapes) -> Result<Architecture> {
    let read = Read(shapes);
    let first = read.shape("encoder.conv_in.weight");
    let half = |half: &str| shapes.keys().any(|name| name.starts_with(&format!("{half}.")));
    match first {
        Some([_, 3, ..]) if half("decoder") => {
            if read.has("encoder.norm_out.gamma") {
                read.wan()
            } else if read.has("encoder.down_blocks.0.0.conv1.weight") {
                read.dc()
            } else {
                read.levels()
            }
        }
        _ if read.shape("encoder.0.weight").is_some() && read.shape("decoder.1.weight").is_some() => read.tiny(),
        _ => Err(foreign(shapes)),
    }
}

struct Read<'a>(&'a Shapes);

impl Read<'_> {
    fn shape(&self, name: &str) -> Option<&[usize]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// A side of a tensor that the architecture has.
    fn side(&self, name: &str, dimension: usize) -> Result<usize> {
        let side = self.shape(name).and_then(|shape| shape.get(dimension)).copied();
        side.ok_or_else(|| foreign_because("an autoencoder", format!("there is no {name}")))
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// How many consecutive numbers from 0 on give a name that exists.
    fn count(&self, name: impl Fn(usize) -> String) -> usize {
        (0..self.0.len()).take_while(|&index| self.has(&name(index))).count()
    }

    /// diffusers' `AutoencoderKL` or `VQModel`.
    fn levels(&self) -> Result<Architecture> {
        let resnet = |level: usize, index: usize| format!("encoder.down_blocks.{level}.resnets.{index}.conv1.weight");
        let levels = self.count(|level| resnet(level, 0));
        let block_out_channels =
            (0..levels).map(|level| self.side(&resnet(level, 0), 0)).collect::<Result<Vec<usize>>>()?;
        if block_out_channels.iter().any(|width| !width.is_multiple_of(GROUPS)) {
            let detail =
                "the number of groups cannot be told from the shapes; diffusers' config.json is needed (--config)";
            return Err(Error::ManifestInvalid { file: "the weights".into(), detail: detail.into() });
        }
        let layers_per_block = self.count(|index| resnet(0, index));
        let mid_block_add_attention = self.has("encoder.mid_block.attentions.0.to_q.weight");
        let encoded = self.side("encoder.conv_out.weight", 0)?;
        let codebook = "quantize.embedding.weight";
        if !self.has(codebook) {
            return Ok(Architecture::AutoencoderKl(AutoencoderKlConfig {
                block_out_channels,
                layers_per_block,
                latent_channels: encoded / 2,
                norm_num_groups: GROUPS,
                use_quant_conv: self.has("quant_conv.weight"),
                use_post_quant_conv: self.has("post_quant_conv.weight"),
                mid_block_add_attention,
            }));
        }
        let spatial_norm = self.has("decoder.conv_norm_out.conv_y.weight");
        let attentive = |level| self.has(&format!("encoder.down_blocks.{level}.attentions.0.to_q.weight"));
        Ok(Architecture::VqModel(VqModelConfig {
            block_out_channels,
            layers_per_block,
            latent_channels: encoded,
            vq_embed_dim: self.side(codebook, 1)?,
            num_vq_embeddings: self.side(codebook, 0)?,
            norm_num_groups: GROUPS,
            attention: (0..levels).map(attentive).collect(),
            mid_block_add_attention,
            spatial_norm,
            // As the pipelines of each family decode.
            quantise: !spatial_norm,
        }))
    }

    fn wan(&self) -> Result<Architecture> {
        let base_dim = self.side("encoder.conv_in.weight", 0)?.max(1);
        let mut widths: Vec<usize> = Vec::new();
        let mut blocks = vec![0];
        for index in 0.. {
            let block = format!("encoder.down_blocks.{index}");
            if let Some([width, ..]) = self.shape(&format!("{block}.conv1.weight")) {
                widths.resize(blocks.len(), *width);
                blocks.last_mut().into_iter().for_each(|count: &mut usize| *count = count.saturating_add(1));
            } else if self.has(&format!("{block}.resample.1.weight")) {
                blocks.push(0);
            } else {
                break;
            }
        }
        Ok(Architecture::Wan(WanConfig {
            base_dim,
            dim_mult: widths.iter().filter_map(|width| width.checked_div(base_dim)).collect(),
            num_res_blocks: blocks.first().copied().unwrap_or(0),
            z_dim: self.side("post_quant_conv.weight", 0)?,
        }))
    }

    fn dc(&self) -> Result<Architecture> {
        let blocks = |part: &str, level: usize| {
            let name = |index: usize| format!("{part}.{level}.{index}");
            let is_block =
                |name: &str| self.has(&format!("{name}.conv2.weight")) || self.has(&format!("{name}.attn.to_q.weight"));
            (0..self.0.len())
                .skip_while(|&index| self.has(&format!("{}.conv.weight", name(index))))
                .take_while(|&index| is_block(&name(index)))
                .count()
        };
        let levels = (0..self.0.len()).take_while(|&level| blocks("encoder.down_blocks", level) > 0).count();
        let attentive = |level: usize| self.has(&format!("encoder.down_blocks.{level}.0.attn.to_q.weight"));
        let width = |level: usize| match attentive(level) {
            true => self.side(&format!("encoder.down_blocks.{level}.0.attn.to_q.weight"), 0),
            false => self.side(&format!("encoder.down_blocks.{level}.0.conv1.weight"), 0),
        };
        let head = (0..levels).find(|&level| attentive(level)).map(|level| {
            self.side(&format!("encoder.down_blocks.{level}.0.attn.to_qkv_multiscale.0.proj_out.weight"), 1)
        });
        Ok(Architecture::AutoencoderDc(AutoencoderDcConfig {
            block_out_channels: (0..levels).map(width).collect::<Result<_>>()?,
            encoder_layers_per_block: (0..levels).map(|level| blocks("encoder.down_blocks", level)).collect(),
            decoder_layers_per_block: (0..levels).map(|level| blocks("decoder.up_blocks", level)).collect(),
            attention: (0..levels).map(attentive).collect(),
            attention_head_dim: head.transpose()?.unwrap_or(32),
            latent_channels: self.side("decoder.conv_in.weight", 1)?,
            // As in SANA; no shape shows it.
            silu_out: false,
        }))
    }

    fn tiny(&self) -> Result<Architecture> {
        Ok(Architecture::AutoencoderTiny(AutoencoderTinyConfig {
            width: self.side("encoder.0.weight", 0)?,
            latent_channels: self.side("decoder.1.weight", 1)?,
            encoder_blocks: vec![1, 3, 3, 3],
            decoder_blocks: vec![3, 3, 3, 1],
            pooled: self.0.keys().any(|name| name.contains(".pool.")),
        }))
    }
}

/// What files without an autoencoder hold, recognised by a part of a name that only they have.
const LOOKS: [(&str, &str); 17] = [
    ("lora_", "a LoRA, a small change to another model"),
    ("control_model.", "a ControlNet"),
    ("controlnet_", "a ControlNet"),
    ("model.diffusion_model.", "a diffusion model without its autoencoder"),
    ("input_blocks.", "a diffusion model without its autoencoder"),
    ("time_embedding.linear_1", "a diffusion model without its autoencoder"),
    ("double_blocks.", "a diffusion transformer, the part that FLUX and others call the transformer"),
    ("joint_blocks.", "a diffusion transformer, the part that FLUX and others call the transformer"),
    ("transformer_blocks.", "a diffusion transformer, the part that FLUX and others call the transformer"),
    ("text_model.", "a text encoder"),
    ("encoder.block.0.layer.", "a text encoder"),
    ("model.layers.", "a language model"),
    ("vision_model.", "an image encoder"),
    (".rdb1.", "an upscaler"),
    ("body.0.", "an upscaler"),
    ("encoder.down_blocks.", "one half of an autoencoder, or one of another kind"),
    ("decoder.up_blocks.", "one half of an autoencoder, or one of another kind"),
];

/// Compares what an architecture takes with what a published file holds.
pub(crate) fn compare(parameters: &[ParameterSpec], mut found: Shapes) -> LoadReport {
    let mut report = LoadReport::default();
    for ParameterSpec { name, shape } in parameters {
        match found.remove(name) {
            // The same numbers whether a linear layer is stored as such or as a 1×1 convolution.
            Some(other) if squeezed(&other) == squeezed(shape) => report.applied = report.applied.saturating_add(1),
            Some(found) => {
                report.wrong_shape.push(WrongShape { name: name.clone(), expected: shape.clone(), found });
            }
            None => report.missing.push(name.clone()),
        }
    }
    report.unused = found.into_keys().collect();
    report
}

/// The shape without trailing ones.
fn squeezed(shape: &[usize]) -> &[usize] {
    let trailing = shape.iter().rev().take_while(|side| **side == 1).count();
    shape.get(..shape.len().saturating_sub(trailing)).unwrap_or_default()
}

fn foreign(shapes: &Shapes) -> Error {
    let starts = |prefix: &str| shapes.keys().any(|name| name.starts_with(prefix));
    // Both halves of the TAESD family are published as bare positions.
    if shapes.contains_key("1.conv.0.weight") || shapes.contains_key("3.conv.0.weight") {
        let needed = "the other half; both are given together (--encoder and --decoder)".into();
        return foreign_because("one half of a TAESD autoencoder", needed);
    }
    for (half, other) in [("encoder.", "decoder"), ("decoder.", "encoder")] {
        let part = starts(&format!("{half}conv_in")) || starts(&format!("{half}0."));
        if part && !starts(&format!("{other}.")) {
            let looks_like = format!("the {} of an autoencoder", half.trim_end_matches('.'));
            return foreign_because(&looks_like, format!("there is no {other}"));
        }
    }
    let found = LOOKS.iter().find(|(part, _)| shapes.keys().any(|name| name.contains(part)));
    let looks_like = found.map_or("something that is not known here", |(_, looks_like)| looks_like);
    foreign_because(looks_like, "there is no encoder.conv_in.weight for images of 3 channels".into())
}

fn foreign_because(looks_like: &str, missing: String) -> Error {
    Error::WeightsForeign { looks_like: looks_like.into(), missing }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes_of(architecture: &Architecture) -> Shapes {
        architecture.parameters().into_iter().map(|parameter| (parameter.name, parameter.shape)).collect()
    }

    #[test]
    fn every_published_layout_is_recognised() {
        let kl = |latent_channels, quant| {
            Architecture::AutoencoderKl(AutoencoderKlConfig {
                block_out_channels: vec![128, 256, 512, 512],
                layers_per_block: 2,
                latent_channels,
                norm_num_groups: 32,
                use_quant_conv: quant,
                use_post_quant_conv: quant,
                mid_block_add_attention: true,
            })
        };
        let vq = |widths: [usize; 4], latent_channels, vq_embed_dim, spatial_norm: bool| {
            Architecture::VqModel(VqModelConfig {
                block_out_channels: widths.to_vec(),
                layers_per_block: 2,
                latent_channels,
                vq_embed_dim,
                num_vq_embeddings: 4096,
                norm_num_groups: 32,
                attention: vec![false, false, false, true],
                mid_block_add_attention: true,
                spatial_norm,
                quantise: !spatial_norm,
            })
        };
        let tiny = |latent_channels, pooled| {
            Architecture::AutoencoderTiny(AutoencoderTinyConfig {
                width: 64,
                latent_channels,
                encoder_blocks: vec![1, 3, 3, 3],
                decoder_blocks: vec![3, 3, 3, 1],
                pooled,
            })
        };
        let wan =
            Architecture::Wan(WanConfig { base_dim: 96, dim_mult: vec![1, 2, 4, 4], num_res_blocks: 2, z_dim: 16 });
        let dc = Architecture::AutoencoderDc(AutoencoderDcConfig {
            block_out_channels: vec![128, 256, 512, 512, 1024, 1024],
            encoder_layers_per_block: vec![2, 2, 2, 3, 3, 3],
            decoder_layers_per_block: vec![3; 6],
            attention: vec![false, false, false, true, true, true],
            attention_head_dim: 32,
            latent_channels: 32,
            silu_out: false,
        });
        for architecture in [
            kl(4, true),
            kl(16, false),
            kl(32, true),
            vq([64, 128, 256, 512], 256, 128, false),
            vq([128, 256, 256, 512], 4, 4, true),
            tiny(4, false),
            tiny(16, false),
            tiny(32, true),
            wan,
            dc,
        ] {
            let mut shapes = shapes_of(&architecture);
            if let Architecture::VqModel(config) = &architecture {
                // Published with its codebook, whether decoding takes entries of it or not.
                shapes.insert("quantize.embedding.weight".into(), vec![config.num_vq_embeddings, config.vq_embed_dim]);
            }
            assert_eq!(from_shapes(&shapes).unwrap(), architecture);
        }
    }

    #[test]
    fn foreign_files_are_called_what_they_are() {
        for (name, looks_like) in [
            ("model.diffusion_model.input_blocks.0.0.weight", "diffusion model"),
            ("lora_unet_down_blocks_0.lora_up.weight", "LoRA"),
            ("text_model.embeddings.token_embedding.weight", "text encoder"),
            ("double_blocks.0.img_attn.qkv.weight", "diffusion transformer"),
            ("decoder.conv_in.weight", "the decoder of an autoencoder"),
            ("1.conv.0.weight", "one half of a TAESD"),
            ("weight", "not known"),
        ] {
            let error = from_shapes(&Shapes::from([(name.into(), vec![3, 3])])).unwrap_err();
            assert_eq!(error.code(), "weights_foreign");
            assert!(error.to_string().contains(looks_like), "{error}");
        }
    }
}
