"""Goldens of the TAESD family: diffusers' AutoencoderTiny, and the pooled variant (TAEF2) in plain PyTorch.

The latent is the encoder's output and goes straight to the decoder. AutoencoderTiny's own `forward` would
scale it, clamp it to [0, 1] and round it to 8 bits between the two: AEDR does not.
"""

import torch
from diffusers import AutoencoderTiny

import taef2
from golden import seed_parameters, write_golden, write_tensors


def gain(name):
    """Residual branches that stay small beside their input."""
    return 0.35 if name.endswith(("conv.4.weight", "pool.3.weight")) else 1.3


def seed_tiny(model, encoder_layers, decoder_layers, seed):
    """With features that follow the image more than the biases, latents large enough for the decoder's
    tanh to matter, and reconstructions in about the usual range."""
    seed_parameters(model, seed, gain)
    with torch.no_grad():
        encoder_layers[0].weight *= 2.5
        encoder_layers[-1].weight *= 2.0
        decoder_layers[-1].weight *= 0.2
        decoder_layers[-1].bias += 0.5


def make_taesd(name="tiny_taesd", width=12, latent_channels=4, seed=1):
    model = AutoencoderTiny(
        encoder_block_out_channels=[width] * 4,
        decoder_block_out_channels=[width] * 4,
        latent_channels=latent_channels,
    )
    seed_tiny(model, model.encoder.layers, model.decoder.layers, seed)
    folder = write_golden(
        name,
        model,
        encode=lambda image: model.encode(image).latents,
        decode=lambda latent: model.decode(latent).sample,
        seed=seed,
    )
    model.save_config(folder)
    write_tensors(folder / "model.safetensors", model.state_dict())


def make_taef2(name="tiny_taef2", width=8, latent_channels=6, seed=1):
    """Weights as `.pth` state dicts. The encoder's are f16, as the real ones are, and it computes with
    those values in f32; the decoder's are f32, so that both types are read."""
    model = taef2.Taef2(width, latent_channels)
    seed_tiny(model, model.encoder, model.decoder, seed)
    model.encoder.half().float()
    folder = write_golden(name, model, model.encode, model.decode, seed, packages=["torch"])
    torch.save(model.encoder.half().state_dict(), folder / "encoder.pth")
    torch.save(model.decoder.state_dict(), folder / "decoder.pth")


if __name__ == "__main__":
    if taef2.FOLDER.is_dir():
        taef2.load()
        print("the real TAEF2's state dicts fit this module, every key and shape")
    make_taesd()
    # TAESD3, TAEF1.
    make_taesd("tiny_taef1", width=8, latent_channels=16, seed=15)
    make_taef2()
