"""TAEF2 in plain PyTorch: the TAESD family's autoencoder with pooled blocks at the latent's resolution.

The modules are `nn.Sequential`s whose indices are those of the real state dicts. Images are in [0, 1].
"""

import torch
from torch import nn

from golden import REFERENCE

WIDTH, LATENT_CHANNELS = 64, 32

#: The real weights: f16 state dicts.
FOLDER = REFERENCE / "taef2"


def conv(inputs, outputs, **options):
    return nn.Conv2d(inputs, outputs, 3, padding=1, **options)


class Block(nn.Module):
    """conv, ReLU, conv, ReLU, conv, plus the input, then ReLU; a pooled block adds `pool` to its input first."""

    def __init__(self, width, pooled=False):
        super().__init__()
        self.conv = nn.Sequential(
            conv(width, width), nn.ReLU(), conv(width, width), nn.ReLU(), conv(width, width)
        )
        if pooled:
            wide = 4 * width
            self.pool = nn.Sequential(
                nn.Conv2d(width, wide, 1, bias=False),
                nn.GroupNorm(4, wide),
                nn.ReLU(),
                nn.Conv2d(wide, width, 1, bias=False),
            )
        else:
            self.pool = None

    def forward(self, x):
        if self.pool is not None:
            x = x + self.pool(x)
        return torch.relu(self.conv(x) + x)


class SoftClamp(nn.Module):
    """Keeps latents in (-3, 3)."""

    def forward(self, x):
        return 3 * torch.tanh(x / 3)


def encoder(width=WIDTH, latent_channels=LATENT_CHANNELS):
    layers = [conv(3, width), Block(width)]
    for level in range(3):
        layers.append(conv(width, width, stride=2, bias=False))
        layers += [Block(width, pooled=level == 2) for _ in range(3)]
    return nn.Sequential(*layers, conv(width, latent_channels))


def decoder(width=WIDTH, latent_channels=LATENT_CHANNELS):
    layers = [SoftClamp(), conv(latent_channels, width), nn.ReLU()]
    layers += [Block(width, pooled=True) for _ in range(3)]
    for blocks in (3, 3, 1):
        layers += [nn.Upsample(scale_factor=2, mode="nearest"), conv(width, width, bias=False)]
        layers += [Block(width) for _ in range(blocks)]
    return nn.Sequential(*layers, conv(width, 3))


class Taef2(nn.Module):
    """Encoder and decoder, seen from outside: images in [-1, 1], neither clamped nor rounded."""

    def __init__(self, width=WIDTH, latent_channels=LATENT_CHANNELS):
        super().__init__()
        self.encoder = encoder(width, latent_channels)
        self.decoder = decoder(width, latent_channels)

    def encode(self, image):
        return self.encoder((image + 1) / 2)

    def decode(self, latent):
        return self.decoder(latent) * 2 - 1


def load():
    """The real TAEF2: its f16 values in f32 arithmetic. Strict, so that every key and shape is accounted for."""
    model = Taef2()
    for part in ("encoder", "decoder"):
        state = torch.load(FOLDER / f"taef2_{part}.pth", map_location="cpu", weights_only=True)
        getattr(model, part).load_state_dict(state, strict=True)
    return model.float().eval().requires_grad_(False)
