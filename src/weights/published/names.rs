//! The names that published tensors have here.

/// The name that this crate uses for a published tensor: diffusers' present ones for `AutoencoderKL`, the
/// original `nn.Sequential` positions for the TAESD family.
pub(crate) fn canonical_name(name: &str) -> String {
    if let Some(rest) = name.strip_prefix("encoder.layers.") {
        return format!("encoder.{rest}");
    }
    if let Some((index, rest)) = name.strip_prefix("decoder.layers.").and_then(|rest| rest.split_once('.')) {
        // diffusers clamps the latent outside of its list of layers, the original within.
        if let Ok(index) = index.parse::<usize>() {
            return format!("decoder.{}.{rest}", index.saturating_add(1));
        }
    }
    if !name.contains(".attentions.") {
        return name.into();
    }
    // Names of diffusers before 0.12, still in many published files.
    let renamed = [(".query.", ".to_q."), (".key.", ".to_k."), (".value.", ".to_v."), (".proj_attn.", ".to_out.0.")];
    renamed.iter().fold(name.to_owned(), |name, (old, new)| name.replace(old, new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_origin_become_one() {
        for (published, ours) in [
            ("encoder.layers.3.conv.0.weight", "encoder.3.conv.0.weight"),
            ("decoder.layers.0.weight", "decoder.1.weight"),
            ("decoder.mid_block.attentions.0.query.weight", "decoder.mid_block.attentions.0.to_q.weight"),
            ("encoder.mid_block.attentions.0.proj_attn.bias", "encoder.mid_block.attentions.0.to_out.0.bias"),
            ("encoder.mid_block.attentions.0.to_out.0.bias", "encoder.mid_block.attentions.0.to_out.0.bias"),
            ("quant_conv.weight", "quant_conv.weight"),
        ] {
            assert_eq!(canonical_name(published), ours);
        }
    }
}
