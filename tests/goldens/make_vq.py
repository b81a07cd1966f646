"""Goldens of diffusers' VQModel: VQ-Diffusion's layout, and MoVQ's with and without taking codebook entries."""

from unittest.mock import patch

import torch
from diffusers import VQModel

from golden import HEIGHT, WIDTH, seed_parameters, synthetic_picture, write_golden, write_json, write_tensors

GROUPS = 4


def config(block_out_channels, **rest):
    """Attention at the last level."""
    plain = len(block_out_channels) - 1
    return {
        "block_out_channels": block_out_channels,
        "down_block_types": ["DownEncoderBlock2D"] * plain + ["AttnDownEncoderBlock2D"],
        "up_block_types": ["AttnUpDecoderBlock2D"] + ["UpDecoderBlock2D"] * plain,
        "layers_per_block": 1,
        "norm_num_groups": GROUPS,
        "num_vq_embeddings": 64,
    } | rest


MOVQ = config([8, 12, 16], latent_channels=4, vq_embed_dim=4, norm_type="spatial")

#: Name: options, whether the decoder takes codebook entries, and a seed under which all checks are content.
VARIANTS = {
    "vq_ithq": (config([8, 8, 16], latent_channels=10, vq_embed_dim=6), True, 4),
    "movq": (MOVQ, False, 24),
    "movq_quantised": (MOVQ, True, 2),
}


def gain(name):
    if ".to_q." in name or ".to_k." in name:
        return 2.0
    if name.startswith("quantize"):
        return 2.5
    return 0.8 if name.startswith("decoder.conv_out") else 1.2


def few_groups(num_groups, num_channels, make=torch.nn.GroupNorm, **rest):
    """Spatial norms always have 32 groups, too many for small widths."""
    return make(GROUPS, num_channels, **rest)


def least_margin(model, latent):
    """How much further than the nearest the second nearest entry is, of the distance, at worst."""
    positions = latent.permute(0, 2, 3, 1).reshape(-1, latent.shape[1])
    nearest = torch.cdist(positions.double(), model.quantize.embedding.weight.double()).topk(2, dim=1, largest=False)
    return (nearest.values[:, 1] / nearest.values[:, 0] - 1).min().item()


def make(name, options, quantised, seed):
    with patch.object(torch.nn, "GroupNorm", few_groups):
        model = VQModel(**options)
    seed_parameters(model, seed, gain)
    model.half().float()
    encode = lambda image: model.encode(image).latents
    decode = lambda latent: model.decode(latent, force_not_quantize=not quantised).sample
    without_effect = [".to_k.bias"]
    if quantised:
        with torch.inference_mode():
            picture = synthetic_picture(seed, HEIGHT, WIDTH)
            for image in (picture, decode(encode(picture))):
                margin = least_margin(model, encode(image))
                assert margin > 1e-4, f"an entry is nearest by {margin:.1e} only"
    else:
        without_effect.append("quantize.embedding.weight")
    folder = write_golden(name, model, encode, decode, seed, without_effect=without_effect)
    # Not part of diffusers' configuration: its pipelines say it when they decode.
    write_json(folder / "config.json", dict(model.config) | {"_class_name": "VQModel", "force_not_quantize": not quantised})
    write_tensors(folder / "model.safetensors", model.half().state_dict())


if __name__ == "__main__":
    for name, variant in VARIANTS.items():
        make(name, *variant)
