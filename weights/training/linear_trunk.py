"""Starts the autoencoder as a good linear one.

With its residual branches at zero, what is left of an AutoencoderKL is a linear
trunk of downsampling and upsampling convolutions, but for the last normalisation
and SiLU of each half. Trained as a whole from random weights, the autoencoder
finds a good trunk only slowly; the trunk alone trains in minutes.

The last normalisation of each half would take away an image's own brightness and
contrast. Two channels of each group therefore start as large opposite constants
that carry most of the group's variance; and every channel is there twice, with
both signs, since silu(x) - silu(-x) = x.
"""

import math

import torch
from torch import nn
from torch.nn.functional import conv2d, interpolate, pad, unfold

LEARNING_RATE = 4e-3
WARM_UP_STEPS = 30
LATENT_NOISE = 0.05
LATENT_WEIGHT = 1e-4
ENCODER_CONSTANT = 20.0
DECODER_CONSTANT = 8.0


class LinearTrunk(nn.Module):
    """The convolutions that the autoencoder's residual branches hang on."""

    def __init__(self, widths, latent_channels):
        super().__init__()
        # 2x2 blocks of RGB have 12 values, so that is all the first level can hold.
        down = [3, min(12, widths[0]), widths[1], latent_channels]
        up = [widths[3], widths[2], widths[1], 3]
        self.down = nn.ModuleList(
            nn.Conv2d(a, b, 3, stride=2) for a, b in zip(down[:-1], down[1:])
        )
        self.conv_in = nn.Conv2d(latent_channels, up[0], 3, padding=1)
        self.up = nn.ModuleList(
            nn.Conv2d(a, b, 3, padding=1) for a, b in zip(up[:-1], up[1:])
        )

    def encode(self, images):
        for convolution in self.down:
            images = convolution(pad(images, (0, 1, 0, 1)))
        return images

    def decode(self, latents):
        hidden = self.conv_in(latents)
        for convolution in self.up:
            hidden = convolution(interpolate(hidden, scale_factor=2.0, mode="nearest"))
        return hidden

    @torch.no_grad()
    def start(self, images):
        """Downsampling by principal components of 2x2 blocks, to latents of mean 0 and
        deviation 1; orthogonal upsampling."""
        for convolution in self.down:
            blocks = unfold(images, 2, stride=2).transpose(1, 2).flatten(0, 1)
            basis = torch.linalg.eigh(torch.cov(blocks.T))[1].flip(1)
            kernel = basis[:, : convolution.out_channels].T.reshape(
                convolution.out_channels, images.shape[1], 2, 2
            )
            convolution.weight.zero_()
            convolution.weight[..., :2, :2] = kernel
            convolution.bias.zero_()
            images = conv2d(images, kernel, stride=2)
        spread = images.std((0, 2, 3))
        self.down[-1].weight /= spread[:, None, None, None]
        self.down[-1].bias.copy_(-images.mean((0, 2, 3)) / spread)
        for convolution in (self.conv_in, *self.up):
            nn.init.orthogonal_(convolution.weight.view(convolution.out_channels, -1))
            convolution.bias.zero_()

    @torch.no_grad()
    def normalise_latents(self, images):
        """Brings the latents' mean square to 1 and undoes it in the decoder."""
        scale = self.encode(images).square().mean((0, 2, 3)).sqrt()
        self.down[-1].weight /= scale[:, None, None, None]
        self.down[-1].bias /= scale
        self.conv_in.weight *= scale[:, None, None]


def train_trunk(trunk, crops, steps=600):
    """Trains on `crops.batch(count, side)` with a cosine fall of the learning rate."""
    trunk.start(crops.batch(128, 64))
    optimizer = torch.optim.Adam(trunk.parameters(), betas=(0.9, 0.98))
    recent = []
    for step in range(1, steps + 1):
        rate = LEARNING_RATE * 0.5 * (1 + math.cos(math.pi * step / steps))
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, step / WARM_UP_STEPS)
        images = crops.batch(16, 64)
        latents = trunk.encode(images)
        noisy = latents + LATENT_NOISE * torch.randn_like(latents)
        error = (trunk.decode(noisy) - images).square().mean()
        optimizer.zero_grad()
        (error + LATENT_WEIGHT * latents.square().mean()).backward()
        optimizer.step()
        recent.append(error.item())
        if step % 100 == 0:
            level = 10 * math.log10(4 * len(recent) / sum(recent))
            print(f"trunk step {step}: PSNR {level:.2f}", flush=True)
            recent = []
    trunk.normalise_latents(crops.batch(128, 64))


def place(convolution, source):
    """Writes a trunk's convolution into the first channels of a wider one."""
    outputs, inputs = source.weight.shape[:2]
    convolution.weight[:outputs] = 0
    convolution.weight[:outputs, :inputs] = source.weight
    convolution.bias[:outputs] = source.bias


def copy_channels(convolution, count):
    """The first `count` outputs repeat the first `count` inputs."""
    convolution.weight[:count] = 0
    centre = convolution.kernel_size[0] // 2
    index = torch.arange(count)
    convolution.weight[index, index, centre, centre] = 1


def signed_copies(shortcut, normalisation, output, count, variance, constant):
    """Both signs of the first `count` channels, of the given variance, normalised and
    put together again by `output`, so that output[k] = input[k]. Both signs lie in one
    group, so that the group's mean stays zero."""
    width = shortcut.out_channels
    half = width // 2  # the normalisation has two groups
    centre = output.kernel_size[0] // 2
    for tensor in (shortcut.weight, shortcut.bias, output.weight, output.bias, normalisation.bias):
        tensor.zero_()
    for start, channels in ((0, range(0, count, 2)), (half, range(1, count, 2))):
        end = start + half
        for place_in_group, channel in enumerate(channels):
            for sign in (1, -1):
                index = start + 2 * place_in_group + (sign < 0)
                shortcut.weight[index, channel, 0, 0] = sign
                output.weight[channel, index, centre, centre] = sign
        shortcut.bias[end - 2] = constant
        shortcut.bias[end - 1] = -constant
        spread = ((2 * constant**2 + 2 * len(channels) * variance) / half) ** 0.5
        normalisation.weight[start:end] = spread
        normalisation.weight[end - 2 : end] = 0


@torch.no_grad()
def transplant(trunk, model):
    """Sets the weights outside the residual branches to the trunk's."""
    encoder, decoder = model.encoder, model.decoder
    latents = model.config.latent_channels
    copy_channels(encoder.conv_in, 3)
    for level, source in enumerate(trunk.down):
        place(encoder.down_blocks[level].downsamplers[0].conv, source)
    for level in (1, 2):
        shortcut = encoder.down_blocks[level].resnets[0].conv_shortcut
        copy_channels(shortcut, trunk.down[level - 1].out_channels)
    shortcut = encoder.down_blocks[3].resnets[0].conv_shortcut
    norm, out = encoder.conv_norm_out, encoder.conv_out
    signed_copies(shortcut, norm, out, latents, 1.0, ENCODER_CONSTANT)
    copy_channels(model.quant_conv, latents)

    copy_channels(model.post_quant_conv, latents)
    place(decoder.conv_in, trunk.conv_in)
    for level, source in enumerate(trunk.up):
        place(decoder.up_blocks[level].upsamplers[0].conv, source)
    for level in (1, 2):
        shortcut = decoder.up_blocks[level].resnets[0].conv_shortcut
        copy_channels(shortcut, trunk.up[level - 1].out_channels)
    shortcut = decoder.up_blocks[3].resnets[0].conv_shortcut
    norm, out = decoder.conv_norm_out, decoder.conv_out
    signed_copies(shortcut, norm, out, 3, 0.3, DECODER_CONSTANT)
