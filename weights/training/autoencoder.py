"""The default autoencoder: its configuration, its losses and its decoded images.

Images are `[batch, 3, height, width]` in [-1, 1]; latents are
`[batch, LATENT_CHANNELS, height / 8, width / 8]`.
"""

import json
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file, save_file

DATA = Path(__file__).resolve().parent.parent.parent / "data"
DEFAULT = DATA / "default"
# What the page ships: the same f16 values.
SHIPPED = DATA.parent / "weights" / "aedr-small" / "shard-00.safetensors"
LATENT_CHANNELS = 16

# SD1's autoencoder (kl-f8) with narrower levels. Full resolution costs most of
# the time on a phone, so it has only 16 channels.
CONFIG = {
    "in_channels": 3,
    "out_channels": 3,
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "block_out_channels": [16, 32, 64, 96],
    "layers_per_block": 2,
    "act_fn": "silu",
    "latent_channels": LATENT_CHANNELS,
    "norm_num_groups": 2,
}


def build():
    """A new autoencoder whose residual branches start at zero and whose posterior
    starts narrow, so that the first steps already see the image."""
    model = AutoencoderKL(**CONFIG)
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.orthogonal_(module.weight.view(module.weight.shape[0], -1))
            torch.nn.init.zeros_(module.bias)
            if name.endswith(".conv2"):
                torch.nn.init.zeros_(module.weight)
        elif name.endswith("to_out.0"):
            torch.nn.init.zeros_(module.weight)
            torch.nn.init.zeros_(module.bias)
    with torch.no_grad():
        model.quant_conv.weight[LATENT_CHANNELS:] = 0
        model.quant_conv.bias[LATENT_CHANNELS:] = -6
    return model


def load(folder=DEFAULT):
    """The stored weights (f16) in f32 arithmetic; those that the project ships where none were trained here."""
    model = AutoencoderKL(**CONFIG)
    trained = Path(folder) / "model.safetensors"
    weights = load_file(trained if trained.exists() else SHIPPED)
    model.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    return model.eval()


def save(state, folder=DEFAULT):
    """Stores weights rounded to f16 with diffusers' names, and the configuration."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    halves = {name: tensor.half().contiguous() for name, tensor in state.items()}
    save_file(halves, folder / "model.safetensors", metadata={"format": "pt"})
    config = {"_class_name": "AutoencoderKL", **CONFIG}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def to_tensor(image):
    """8-bit RGB `[height, width, 3]` (array or Pillow image) to `[1, 3, height, width]`."""
    pixels = torch.from_numpy(np.array(image, dtype=np.float32))
    return (pixels / 127.5 - 1).permute(2, 0, 1).unsqueeze(0)


def to_8_bit(images):
    """Clamps and rounds to the 256 levels of a PNG; the result stays in [-1, 1]."""
    return ((images.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1


def encode(model, images):
    """The posterior mean."""
    return model.encode(images).latent_dist.mean


def reconstruct(model, images):
    return model.decode(encode(model, images)).sample


@torch.no_grad()
def double_reconstruction_losses(model, image):
    """L1 = mean (x1 - x)^2 and L2 = mean (x2 - x1)^2 of one image, without clamping."""
    first = reconstruct(model, image)
    second = reconstruct(model, first)
    return (first - image).square().mean().item(), (second - first).square().mean().item()


def blend_mask(height, width, generator):
    """A smooth random mask `[1, 1, height, width]` in [0, 1], or a constant one."""
    if torch.rand((), generator=generator) < 0.3:
        return torch.rand((), generator=generator).expand(1, 1, height, width)
    coarse = torch.randn(1, 1, 3, 3, generator=generator) * 3
    smooth = torch.nn.functional.interpolate(
        coarse, (height, width), mode="bicubic", align_corners=True
    )
    return smooth.sigmoid()


def mix_latents(first, second, generator):
    """Blends the latents of two images, in space or as a whole."""
    mask = blend_mask(*first.shape[-2:], generator)
    return first * mask + second * (1 - mask)


def perturb_latents(latents, strength, generator):
    """Adds Gaussian noise of `strength` times each channel's standard deviation."""
    spread = latents.std(dim=(-2, -1), keepdim=True)
    return latents + strength * spread * torch.randn(latents.shape, generator=generator)
