"""Starts the autoencoder as a good linear one.

With residual branches at zero, what is left of an AutoencoderKL is linear but for
the last normalisation and SiLU of each half: strided convolutions, convolutions
after nearest-neighbour upsampling, and shortcuts between them. This trunk alone is
a fraction of the work of the whole model, so it is trained by itself first:
its encoder starts from principal components of 2x2, 4x4 and 8x8 blocks, and its
weights are then copied into the model.

The last normalisation of each half would take away an image's own brightness and
contrast. Two channels of a group therefore start as large opposite constants
that carry most of a group's variance; and every signal is there twice, with
both signs, since silu(x) - silu(-x) = x.
"""

import math

import torch
from torch import nn
from torch.nn.functional import conv2d, interpolate, pad, unfold

COMPONENTS = (12, 32)  # channels kept at 1/2 and 1/4 of the resolution
ENCODER_CONSTANT = 20.0
DECODER_CONSTANT = 8.0
PEAK_LEARNING_RATE = 4e-3
WARM_UP_STEPS = 30
LATENT_NOISE = 0.05
LATENT_WEIGHT = 1e-4
SCALE_IMAGES = 64


class LinearTrunk(nn.Module):
    """The convolutions of an AutoencoderKL that its residual branches bypass.

    Shortcuts are merged into the convolutions before them, which therefore have
    only as many outputs as the next level has channels.
    """

    def __init__(self, widths, latents):
        super().__init__()
        _, second, third, fourth = widths
        half, quarter = COMPONENTS
        self.down = nn.ModuleList(
            nn.Conv2d(inputs, outputs, 3, stride=2)
            for inputs, outputs in ((3, half), (half, quarter), (quarter, latents))
        )
        self.conv_in = nn.Conv2d(latents, fourth, 3, padding=1)
        self.up = nn.ModuleList(
            nn.Conv2d(inputs, outputs, 3, padding=1)
            for inputs, outputs in ((fourth, third), (third, second), (second, 3))
        )

    def encode(self, images):
        features = images
        for convolution in self.down:
            features = convolution(pad(features, (0, 1, 0, 1)))
        return features

    def decode(self, latents):
        features = self.conv_in(latents)
        for convolution in self.up:
            features = convolution(interpolate(features, scale_factor=2.0, mode="nearest"))
        return features

    @torch.no_grad()
    def start(self, images):
        """Principal components of blocks as the encoder, orthogonal weights as the decoder."""
        features = images
        for convolution in self.down:
            features = start_components(convolution, features)
        spread, mean = torch.std_mean(features, dim=(0, 2, 3))
        self.down[-1].weight /= spread[:, None, None, None]
        self.down[-1].bias.copy_(-mean / spread)
        for convolution in (self.conv_in, *self.up):
            nn.init.orthogonal_(convolution.weight.view(convolution.out_channels, -1))
            convolution.bias.zero_()

    @torch.no_grad()
    def normalise_latents(self, images):
        """Brings the latents to a mean square of 1 and undoes it in the decoder."""
        scale = self.encode(images).square().mean((0, 2, 3)).sqrt()
        self.down[-1].weight /= scale[:, None, None, None]
        self.down[-1].bias /= scale
        self.conv_in.weight *= scale[:, None, None]


def start_components(convolution, features):
    """Sets a strided convolution to the principal components of 2x2 blocks of `features`."""
    blocks = unfold(features, 2, stride=2).transpose(1, 2).flatten(0, 1)
    basis = torch.linalg.eigh(torch.cov(blocks.T))[1].flip(1)[:, : convolution.out_channels]
    kernel = basis.T.reshape(-1, features.shape[1], 2, 2)
    convolution.weight.zero_()
    convolution.weight[:, :, :2, :2] = kernel
    convolution.bias.zero_()
    return conv2d(features, kernel, stride=2)


def train(trunk, images, steps, batch, generator):
    """Minimises the mean squared error over `steps` random batches of `images`."""
    optimizer = torch.optim.Adam(trunk.parameters(), betas=(0.9, 0.98))
    for step in range(steps):
        rate = PEAK_LEARNING_RATE * 0.5 * (1 + math.cos(math.pi * step / steps))
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, (step + 1) / WARM_UP_STEPS)
        target = images[torch.randint(len(images), (batch,), generator=generator)]
        if step % 2:
            target = target.flip(3)
        latents = trunk.encode(target)
        noise = LATENT_NOISE * torch.randn(latents.shape, generator=generator)
        reconstruction = (trunk.decode(latents + noise) - target).square().mean()
        optimizer.zero_grad()
        (reconstruction + LATENT_WEIGHT * latents.square().mean()).backward()
        optimizer.step()
        if (step + 1) % 200 == 0:
            level = 10 * math.log10(4 / reconstruction.item())
            print(f"linear trunk, step {step + 1}: PSNR {level:.2f}", flush=True)


def copy_channels(convolution, count):
    """The first `count` outputs repeat the first `count` inputs."""
    convolution.weight[:count] = 0
    convolution.bias[:count] = 0
    centre = convolution.kernel_size[0] // 2
    index = torch.arange(count)
    convolution.weight[index, index, centre, centre] = 1


def copy_convolution(source, target):
    """`target` computes `source` in its first outputs, from its first inputs."""
    outputs, inputs = source.weight.shape[:2]
    target.weight[:outputs] = 0
    target.weight[:outputs, :inputs] = source.weight
    target.bias[:outputs] = source.bias


def signed_copies(shortcut, normalisation, output, count, constant):
    """`output` repeats the first `count` channels that `shortcut` sees, past the
    normalisation and SiLU between them, but for a factor.

    Both signs are in the first group, whose mean is therefore zero.
    """
    group = shortcut.out_channels // normalisation.num_groups
    index = torch.arange(count)
    output.weight.zero_()
    output.bias.zero_()
    shortcut.weight[:group] = 0
    shortcut.bias[:group] = 0
    centre = output.kernel_size[0] // 2
    for start, sign in ((0, 1), (count, -1)):
        shortcut.weight[start + index, index, 0, 0] = sign
        output.weight[index, start + index, centre, centre] = sign
    shortcut.bias[group - 2] = constant
    shortcut.bias[group - 1] = -constant


def match_scale(normalisation, outputs, targets):
    """Scales a normalisation so that `outputs`, made with it, come nearest to `targets`."""
    normalisation.weight *= (outputs * targets).mean() / outputs.square().mean()


@torch.no_grad()
def copy_trunk(trunk, model, images):
    """Sets the weights outside the residual branches of `model`; channels that the
    trunk does not use keep theirs. `images` determine the scale of both halves."""
    encoder, decoder = model.encoder, model.decoder
    latents = model.config.latent_channels

    copy_channels(encoder.conv_in, 3)
    for level, convolution in enumerate(trunk.down):
        copy_convolution(convolution, encoder.down_blocks[level].downsamplers[0].conv)
    for level, count in enumerate(COMPONENTS, 1):
        copy_channels(encoder.down_blocks[level].resnets[0].conv_shortcut, count)
    shortcut = encoder.down_blocks[3].resnets[0].conv_shortcut
    signed_copies(shortcut, encoder.conv_norm_out, encoder.conv_out, latents, ENCODER_CONSTANT)

    copy_channels(model.quant_conv, latents)
    means = trunk.encode(images)
    match_scale(encoder.conv_norm_out, model.encode(images).latent_dist.mean, means)

    copy_channels(model.post_quant_conv, latents)
    copy_convolution(trunk.conv_in, decoder.conv_in)
    for level, convolution in enumerate(trunk.up):
        copy_convolution(convolution, decoder.up_blocks[level].upsamplers[0].conv)
    for level in (1, 2):
        shortcut = decoder.up_blocks[level].resnets[0].conv_shortcut
        copy_channels(shortcut, shortcut.out_channels)
    shortcut = decoder.up_blocks[3].resnets[0].conv_shortcut
    signed_copies(shortcut, decoder.conv_norm_out, decoder.conv_out, 3, DECODER_CONSTANT)
    match_scale(decoder.conv_norm_out, model.decode(means).sample, trunk.decode(means))


def start_linear(model, images, steps=1200, batch=16, seed=0):
    """Trains a linear trunk on `[count, 3, height, width]` crops and copies it into
    a new `model`, whose residual branches must be zero."""
    generator = torch.Generator().manual_seed(seed)
    trunk = LinearTrunk(model.config.block_out_channels, model.config.latent_channels)
    trunk.start(images)
    # Four times as fast on the CPU with the channels innermost.
    trunk.to(memory_format=torch.channels_last)
    images = images.contiguous(memory_format=torch.channels_last)
    train(trunk, images, steps, batch, generator)
    trunk.normalise_latents(images)
    copy_trunk(trunk, model, images[:SCALE_IMAGES])
