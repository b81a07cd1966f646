//! The names that published tensors have here, and the parts of them that are taken.
//!
//! Ours are diffusers' present ones, but for the TAESD family, where they are positions in the original
//! `nn.Sequential`s, and for attention, which is always named as in diffusers' `Attention`.

use std::ops::Range;

/// Prefixes of an autoencoder inside a larger checkpoint.
const PREFIXES: [&str; 4] = ["first_stage_model.", "vae.", "module.", "autoencoder."];

/// How the names of one file are to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Naming {
    /// Levels of an original LDM decoder, which counts them from the full resolution, unlike diffusers.
    levels: usize,
}

impl Naming {
    /// Learns from all names of a file.
    pub(crate) fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let level = |name: &str| without_prefix(name).strip_prefix("decoder.up.")?.split('.').next()?.parse().ok();
        let highest = names.into_iter().filter_map(level).max();
        Naming { levels: highest.map_or(0, |level: usize| level.saturating_add(1)) }
    }

    /// Our name of a published tensor.
    pub(crate) fn canonical(self, name: &str) -> String {
        let name = without_prefix(name);
        if let Some(rest) = name.strip_prefix("encoder.layers.") {
            return format!("encoder.{rest}");
        }
        if let Some((index, rest)) = name.strip_prefix("decoder.layers.").and_then(|rest| rest.split_once('.')) {
            // diffusers clamps the latent outside its list of layers, the original inside it.
            if let Ok(index) = index.parse::<usize>() {
                return format!("decoder.{}.{rest}", index.saturating_add(1));
            }
        }
        let parts: Vec<&str> = name.split('.').collect();
        let place = self.ldm(&parts).or_else(|| wan(&parts));
        let (place, rest) = place.unwrap_or_else(|| (String::new(), parts.as_slice()));
        let place = if place.is_empty() { place } else { place + "." };
        attention(&(place + &rest.join(".")))
    }

    /// The name in diffusers that the beginning of an original LDM or BFL name stands for, and the rest of that name.
    fn ldm<'a, 'b>(self, parts: &'b [&'a str]) -> Option<(String, &'b [&'a str])> {
        let (half, rest) = parts.split_first()?;
        if !matches!(*half, "encoder" | "decoder") {
            return None;
        }
        let (place, rest) = match rest {
            ["down", level, "block", index, rest @ ..] => (format!("down_blocks.{level}.resnets.{index}"), rest),
            ["down", level, "attn", index, rest @ ..] => (format!("down_blocks.{level}.attentions.{index}"), rest),
            ["down", level, "downsample", rest @ ..] => (format!("down_blocks.{level}.downsamplers.0"), rest),
            ["up", level, kind @ ("block" | "attn" | "upsample"), rest @ ..] => {
                let level = self.levels.checked_sub(1)?.checked_sub(level.parse().ok()?)?;
                match (*kind, rest) {
                    ("block", [index, rest @ ..]) => (format!("up_blocks.{level}.resnets.{index}"), rest),
                    ("attn", [index, rest @ ..]) => (format!("up_blocks.{level}.attentions.{index}"), rest),
                    _ => (format!("up_blocks.{level}.upsamplers.0"), rest),
                }
            }
            ["mid", "block_1", rest @ ..] => ("mid_block.resnets.0".into(), rest),
            ["mid", "block_2", rest @ ..] => ("mid_block.resnets.1".into(), rest),
            ["mid", "attn_1", rest @ ..] => ("mid_block.attentions.0".into(), rest),
            // Wan's has a gamma.
            ["norm_out", rest @ ..] if rest != ["gamma"] => ("conv_norm_out".into(), rest),
            _ => return None,
        };
        let (place, rest) = match rest {
            ["nin_shortcut", rest @ ..] => (place + ".conv_shortcut", rest),
            ["norm", rest @ ..] if place.contains("attentions") => {
                let norm = if matches!(rest, ["weight" | "bias"]) { ".group_norm" } else { ".spatial_norm" };
                (place + norm, rest)
            }
            _ => (place, rest),
        };
        Some((format!("{half}.{place}"), rest))
    }
}

/// The name in diffusers that the beginning of a name in Wan's original checkpoint stands for, and the rest of that
/// name.
fn wan<'a, 'b>(parts: &'b [&'a str]) -> Option<(String, &'b [&'a str])> {
    /// In a level of the decoder: residual blocks, then the upsampler.
    const BLOCKS: usize = 4;
    let (half, rest) = match parts {
        ["conv1", rest @ ..] => return Some(("quant_conv".into(), rest)),
        ["conv2", rest @ ..] => return Some(("post_quant_conv".into(), rest)),
        [half @ ("encoder" | "decoder"), rest @ ..] => (half, rest),
        _ => return None,
    };
    let (place, rest) = match rest {
        ["conv1", rest @ ..] => ("conv_in".into(), rest),
        ["head", "0", rest @ ..] => ("norm_out".into(), rest),
        ["head", "2", rest @ ..] => ("conv_out".into(), rest),
        ["middle", "0", rest @ ..] => ("mid_block.resnets.0".into(), rest),
        ["middle", "1", rest @ ..] => ("mid_block.attentions.0".into(), rest),
        ["middle", "2", rest @ ..] => ("mid_block.resnets.1".into(), rest),
        ["downsamples", index, rest @ ..] => (format!("down_blocks.{index}"), rest),
        ["upsamples", index, rest @ ..] => {
            let index: usize = index.parse().ok()?;
            let (level, inner) = (index / BLOCKS, index % BLOCKS);
            let place = if inner < BLOCKS - 1 { format!("resnets.{inner}") } else { "upsamplers.0".into() };
            (format!("up_blocks.{level}.{place}"), rest)
        }
        _ => return None,
    };
    let (place, rest) = match rest {
        ["residual", "0", rest @ ..] => (place + ".norm1", rest),
        ["residual", "2", rest @ ..] => (place + ".conv1", rest),
        ["residual", "3", rest @ ..] => (place + ".norm2", rest),
        ["residual", "6", rest @ ..] => (place + ".conv2", rest),
        ["shortcut", rest @ ..] => (place + ".conv_shortcut", rest),
        _ => (place, rest),
    };
    Some((format!("{half}.{place}"), rest))
}

/// Attention's linear layers: of LDM, of diffusers before 0.12 and still in many files, and of Wan.
fn attention(name: &str) -> String {
    const RENAMED: [(&str, &str); 9] = [
        ("q", "to_q"),
        ("k", "to_k"),
        ("v", "to_v"),
        ("proj_out", "to_out.0"),
        ("query", "to_q"),
        ("key", "to_k"),
        ("value", "to_v"),
        ("proj_attn", "to_out.0"),
        ("proj", "to_out.0"),
    ];
    let Some((block, after)) = name.split_once(".attentions.") else { return name.into() };
    let Some((index, rest)) = after.split_once('.') else { return name.into() };
    let found = RENAMED.iter().find_map(|(old, new)| Some((new, rest.strip_prefix(old)?.strip_prefix('.')?)));
    match found {
        Some((new, last)) => format!("{block}.attentions.{index}.{new}.{last}"),
        None => name.into(),
    }
}

fn without_prefix(name: &str) -> &str {
    PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name)
}

/// A part of a published tensor that is a tensor here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub name: String,
    pub shape: Vec<usize>,
    /// Of the first dimension.
    pub rows: Range<usize>,
    /// Index in the third of five dimensions: time, of which a single frame meets only the last.
    pub time: Option<usize>,
}

impl Part {
    /// The tensors that one of our names and a published shape stand for.
    pub(crate) fn of(name: String, shape: &[usize]) -> Vec<Part> {
        let (time, shape) = match *shape {
            [output, input, time, height, width] => (Some(time), vec![output, input, height, width]),
            _ => (None, shape.to_vec()),
        };
        let all = shape.first().copied().unwrap_or(1);
        let Some((place, last)) = name.split_once(".to_qkv.") else {
            return vec![Part { name, shape, rows: 0..all, time }];
        };
        let each = all / 3;
        let mut start = 0usize;
        let part = |kind| {
            let shape = std::iter::once(each).chain(shape.iter().skip(1).copied()).collect();
            let rows = start..start.saturating_add(each);
            start = rows.end;
            Part { name: format!("{place}.{kind}.{last}"), shape, rows, time }
        };
        ["to_q", "to_k", "to_v"].into_iter().map(part).collect()
    }

    /// This part of the published tensor's values.
    pub(crate) fn of_values(&self, values: Vec<f32>) -> Vec<f32> {
        // Saturated, the range reaches beyond the values, and nothing is taken.
        let elements = self.shape.iter().fold(1usize, |all, &side| all.saturating_mul(side));
        let row = elements.checked_div(self.rows.len()).unwrap_or(0).saturating_mul(self.time.unwrap_or(1));
        let rows = values.get(self.rows.start.saturating_mul(row)..self.rows.end.saturating_mul(row));
        let rows = rows.unwrap_or_default();
        match (self.time, self.shape.as_slice()) {
            (Some(time), [.., height, width]) => {
                let slices = rows.chunks_exact(height.saturating_mul(*width).max(1));
                slices.skip(time.saturating_sub(1)).step_by(time.max(1)).flatten().copied().collect()
            }
            _ if rows.len() == values.len() => values,
            _ => rows.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_origin_become_one() {
        let naming =
            Naming::of(["decoder.up.0.block.0.norm1.weight", "first_stage_model.decoder.up.3.block.2.norm1.bias"]);
        for (published, ours) in [
            ("encoder.layers.3.conv.0.weight", "encoder.3.conv.0.weight"),
            ("decoder.layers.0.weight", "decoder.1.weight"),
            ("decoder.mid_block.attentions.0.query.weight", "decoder.mid_block.attentions.0.to_q.weight"),
            ("encoder.mid_block.attentions.0.proj_attn.bias", "encoder.mid_block.attentions.0.to_out.0.bias"),
            ("encoder.mid_block.attentions.0.to_out.0.bias", "encoder.mid_block.attentions.0.to_out.0.bias"),
            ("quant_conv.weight", "quant_conv.weight"),
            ("encoder.down.1.block.0.nin_shortcut.weight", "encoder.down_blocks.1.resnets.0.conv_shortcut.weight"),
            ("first_stage_model.encoder.down.0.downsample.conv.bias", "encoder.down_blocks.0.downsamplers.0.conv.bias"),
            ("vae.decoder.up.0.block.2.conv1.weight", "decoder.up_blocks.3.resnets.2.conv1.weight"),
            ("decoder.up.3.attn.1.proj_out.weight", "decoder.up_blocks.0.attentions.1.to_out.0.weight"),
            ("decoder.up.2.upsample.conv.weight", "decoder.up_blocks.1.upsamplers.0.conv.weight"),
            ("decoder.mid.attn_1.q.weight", "decoder.mid_block.attentions.0.to_q.weight"),
            ("encoder.mid.attn_1.norm.weight", "encoder.mid_block.attentions.0.group_norm.weight"),
            ("decoder.mid.attn_1.norm.conv_y.bias", "decoder.mid_block.attentions.0.spatial_norm.conv_y.bias"),
            ("decoder.mid.block_2.norm1.norm_layer.bias", "decoder.mid_block.resnets.1.norm1.norm_layer.bias"),
            ("encoder.norm_out.weight", "encoder.conv_norm_out.weight"),
            ("decoder.norm_out.norm_layer.weight", "decoder.conv_norm_out.norm_layer.weight"),
            ("encoder.norm_out.gamma", "encoder.norm_out.gamma"),
            ("encoder.downsamples.0.residual.6.weight", "encoder.down_blocks.0.conv2.weight"),
            ("encoder.downsamples.2.resample.1.bias", "encoder.down_blocks.2.resample.1.bias"),
            ("decoder.upsamples.7.resample.1.weight", "decoder.up_blocks.1.upsamplers.0.resample.1.weight"),
            ("decoder.upsamples.12.residual.0.gamma", "decoder.up_blocks.3.resnets.0.norm1.gamma"),
            ("decoder.middle.1.proj.weight", "decoder.mid_block.attentions.0.to_out.0.weight"),
            ("encoder.head.0.gamma", "encoder.norm_out.gamma"),
            ("conv2.bias", "post_quant_conv.bias"),
        ] {
            assert_eq!(naming.canonical(published), ours);
            assert_eq!(naming.canonical(ours), ours, "our own names stay");
        }
        assert_eq!(naming.canonical("decoder.up.9.block.0.conv1.weight"), "decoder.up.9.block.0.conv1.weight");
    }

    #[test]
    fn parts_are_cut_out() {
        let parts = Part::of("a.to_qkv.weight".into(), &[6, 2, 1, 1]);
        let values: Vec<f32> = (0..12).map(|value| value as f32).collect();
        let cut: Vec<_> = parts.iter().map(|part| (part.name.as_str(), part.of_values(values.clone()))).collect();
        assert_eq!(cut[1], ("a.to_k.weight", vec![4.0, 5.0, 6.0, 7.0]));
        assert_eq!((cut.len(), &parts[2].shape), (3, &vec![2, 2, 1, 1]));
        // [2, 1, 3, 1, 2]: the last of three slices of each kernel.
        let parts = Part::of("conv.weight".into(), &[2, 1, 3, 1, 2]);
        assert_eq!(parts[0].shape, [2, 1, 1, 2]);
        assert_eq!(parts[0].of_values(values.clone()), [4.0, 5.0, 10.0, 11.0]);
        let parts = Part::of("conv.bias".into(), &[12]);
        assert_eq!(parts[0].of_values(values.clone()), values);
    }
}
