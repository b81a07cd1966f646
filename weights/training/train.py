"""Trains the default autoencoder on the CPU for a given number of minutes.

    nice python weights/training/train.py --minutes 50

The loss is the mean squared error of the reconstruction, with three additions:
- a small KL term, which keeps the latents near unit scale and the posterior's
  noise just large enough for a smooth decoder;
- a second reconstruction, of 8-bit images decoded from mixed and perturbed
  latents: what this decoder made must come back unchanged, since L1 / L2 is
  near its minimum only then;
- a few synthetic crops (flat colours, gradients, text, noise).

The learning rate falls to zero as the minutes run out, whatever the machine's
speed. A checkpoint is written every few minutes and taken up again by
`--resume`; `data/default/` always holds the average weights, rounded to f16.
"""

import argparse
import math
import time

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

import autoencoder
from linear_trunk import LinearTrunk, train_trunk, transplant
from measures import auc, homogeneity, psnr
from photographs import ORIGINALS

CHECKPOINT = autoencoder.DATA / "training" / "checkpoint.pt"
SCALES = (1.0, 0.7, 0.5, 0.35)
SYNTHETIC_SHARE = 0.08
KL_WEIGHT = 2e-4
DECODED_WEIGHT = 2.0
PEAK_LEARNING_RATE = 4e-4
TRUNK_SHARE = 0.3
WARM_UP_STEPS = 60
CHECKPOINT_SECONDS = 180


class Crops:
    """Random square crops of the training photographs at several scales."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.photographs = []
        for path in sorted((ORIGINALS / "training").glob("*.png")):
            image = Image.open(path).convert("RGB")
            sizes = [(round(image.width * s), round(image.height * s)) for s in SCALES]
            self.photographs.append(
                [np.asarray(image.resize(size, Image.Resampling.LANCZOS)) for size in sizes]
            )

    def batch(self, count, side):
        """`[count, 3, side, side]` in [-1, 1]."""
        crops = [self.crop(side) for _ in range(count)]
        return torch.cat([autoencoder.to_tensor(crop) for crop in crops])

    def crop(self, side):
        if self.random.random() < SYNTHETIC_SHARE:
            return self.synthetic(side)
        photograph = self.photographs[self.random.integers(len(self.photographs))]
        pixels = photograph[self.random.integers(len(SCALES))]
        top = self.random.integers(pixels.shape[0] - side + 1)
        left = self.random.integers(pixels.shape[1] - side + 1)
        crop = pixels[top : top + side, left : left + side]
        return crop[:, ::-1].copy() if self.random.random() < 0.5 else crop

    def synthetic(self, side):
        """Text or noise on a gradient between two colours."""
        first, second = self.random.integers(0, 256, (2, 3))
        ramp = np.linspace(0, self.random.integers(2), side)[:, None, None]
        pixels = (first + (second - first) * ramp) * np.ones((side, side, 3))
        if self.random.random() < 0.5:
            pixels = pixels.transpose(1, 0, 2)
        if self.random.random() < 0.5:
            pixels += self.random.normal(0, self.random.uniform(2, 40), pixels.shape)
        image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
        if self.random.random() < 0.5:
            draw = ImageDraw.Draw(image)
            for _ in range(4):
                letters = "".join(chr(c) for c in self.random.integers(33, 127, 12))
                font = ImageFont.load_default(int(self.random.integers(9, 30)))
                position = tuple(self.random.integers(-10, side - 10, 2))
                draw.text(position, letters, tuple(self.random.integers(0, 256, 3)), font=font)
        return np.asarray(image)


def decoded_batch(model, latents, generator):
    """8-bit images decoded from mixed and perturbed latents; a constant target."""
    half = len(latents) // 2
    mixed = [
        autoencoder.mix_latents(latents[i : i + 1], latents[i - 1 : i] if i else latents[-1:], generator)
        for i in range(half)
    ]
    strength = 0.4 * torch.rand((), generator=generator)
    perturbed = autoencoder.perturb_latents(latents[half:], strength, generator)
    with torch.no_grad():
        return autoencoder.to_8_bit(model.decode(torch.cat(mixed + [perturbed])).sample)


def losses(model, images, decoded_count, generator):
    """Returns (reconstruction, KL, decoded reconstruction)."""
    posterior = model.encode(images).latent_dist
    noise = torch.randn(posterior.mean.shape, generator=generator)
    latents = posterior.mean + posterior.std * noise
    reconstruction = (model.decode(latents).sample - images).square().mean()
    kl = 0.5 * (posterior.mean.square() + posterior.var - 1 - posterior.logvar).mean()
    if decoded_count == 0:
        return reconstruction, kl, torch.zeros(())
    images = decoded_batch(model, posterior.mean.detach()[:decoded_count], generator)
    decoded = (autoencoder.reconstruct(model, images) - images).square().mean()
    return reconstruction, kl, decoded


class Validation:
    """Measures on a few calibration photographs, with decoded images made of them."""

    def __init__(self, side=192, count=14):
        self.photographs = []
        for path in sorted((ORIGINALS / "calibration").glob("*.png"))[:count]:
            image = Image.open(path).convert("RGB")
            image.thumbnail((2 * side, 2 * side), Image.Resampling.LANCZOS)
            left, top = (image.width - side) // 2, (image.height - side) // 2
            self.photographs.append(
                autoencoder.to_tensor(image.crop((left, top, left + side, top + side)))
            )

    @torch.no_grad()
    def report(self, model):
        generator = torch.Generator().manual_seed(1)
        latents = [autoencoder.encode(model, image) for image in self.photographs]
        decoded = []
        for index, latent in enumerate(latents):
            other = (
                autoencoder.mix_latents(latent, latents[index - 1], generator)
                if index % 2
                else autoencoder.perturb_latents(latent, 0.2, generator)
            )
            decoded.append(autoencoder.to_8_bit(model.decode(other).sample))
        belonging = [self.measure(model, image) for image in decoded]
        others = [self.measure(model, image) for image in self.photographs]
        b, o = np.array(belonging), np.array(others)
        return (
            f"PSNR {psnr(o[:, 0]).mean():.2f} (decoded {psnr(b[:, 0]).mean():.2f})"
            f" L1/L2 median {np.median(b[:, 2]):.2f} max {b[:, 2].max():.2f}"
            f" against median {np.median(o[:, 2]):.2f} min {o[:, 2].min():.2f}"
            f" AUC of t {auc(b[:, 3], o[:, 3]):.4f}"
        )

    @staticmethod
    def measure(model, image):
        first, second = autoencoder.double_reconstruction_losses(model, image)
        pixels = ((image[0] + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
        return first, second, first / second, first / second * homogeneity(pixels)


def parameter_groups(model):
    """The trunk is trained already: large steps would only undo that."""
    branches, trunk = [], []
    for name, parameter in model.named_parameters():
        branch = "conv_shortcut" not in name and (".resnets." in name or ".attentions." in name)
        (branches if branch else trunk).append(parameter)
    return [{"params": branches, "share": 1.0}, {"params": trunk, "share": TRUNK_SHARE}]


def update_average(average, model, step):
    decay = min(0.99, (1 + step) / (10 + step))
    for name, tensor in model.state_dict().items():
        average[name].lerp_(tensor, 1 - decay)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=11)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--side", type=int, default=64, help="side of a crop, a multiple of 8")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true")
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    # Convolutions of few channels are faster with the channels innermost.
    model = autoencoder.build().to(memory_format=torch.channels_last)
    step, seconds_before = 0, 0.0
    optimizer = torch.optim.Adam(parameter_groups(model), betas=(0.9, 0.99))
    average = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    if arguments.resume:
        stored = torch.load(CHECKPOINT)
        model.load_state_dict(stored["model"])
        optimizer.load_state_dict(stored["optimizer"])
        average, step, seconds_before = stored["average"], stored["step"], stored["seconds"]
    # Crops and noise go on from the step reached, not from the start again.
    generator = torch.Generator().manual_seed(arguments.seed + step)
    crops = Crops(arguments.seed + step)
    validation = Validation()
    averaged = autoencoder.build()
    if not arguments.resume:
        trunk = LinearTrunk(model.config.block_out_channels, model.config.latent_channels)
        train_trunk(trunk, crops)
        transplant(trunk, model)
        average = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        print(f"linear trunk: {validation.report(model)}", flush=True)

    start = stored_at = time.monotonic()
    recent = []
    while True:
        now = time.monotonic()
        progress = (seconds_before + now - start) / (60 * arguments.minutes)
        finished = progress >= 1
        if finished or now - stored_at > CHECKPOINT_SECONDS:
            stored_at = now
            CHECKPOINT.parent.mkdir(parents=True, exist_ok=True)
            torch.save(
                {
                    "model": model.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "average": average,
                    "step": step,
                    "seconds": seconds_before + now - start,
                },
                CHECKPOINT,
            )
            autoencoder.save(average)
            averaged.load_state_dict(average)
            print(f"step {step}: {validation.report(averaged)}", flush=True)
        if finished:
            break
        rate = PEAK_LEARNING_RATE * 0.5 * (1 + math.cos(math.pi * progress))
        for group in optimizer.param_groups:
            group["lr"] = rate * group["share"] * min(1, (step + 1) / WARM_UP_STEPS)
        images = crops.batch(arguments.batch, arguments.side)
        terms = losses(model, images, arguments.batch // 4, generator)
        reconstruction, kl, decoded = terms
        loss = reconstruction + KL_WEIGHT * kl + DECODED_WEIGHT * min(1, step / 150) * decoded
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        update_average(average, model, step)
        recent.append([term.item() for term in terms])
        if step % 50 == 0:
            first, second, third = np.mean(recent, axis=0)
            recent = []
            print(
                f"step {step} ({100 * progress:.0f} %): PSNR {psnr(first):.2f}"
                f" KL {second:.3f} decoded PSNR {psnr(third):.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
