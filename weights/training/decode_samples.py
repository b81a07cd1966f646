"""Makes the images that the threshold and the evaluation need.

    python weights/training/decode_samples.py

writes 8-bit PNGs, for the sets `calibration` and `evaluation` apart:
- `data/decoded/SET`: images decoded by the default autoencoder from latents of
  that set's photographs, mixed (two photographs blended in space or as a whole)
  or perturbed (noise on the latents). Nothing decodes a photograph's own
  unchanged latents: a generator's latents are never exactly an encoder's.
- `data/photographs/SET`: crops of the photographs themselves. Those of the
  calibration come from the training photographs as well: false attributions of
  1 % take more than a hundred photographs to measure, and the autoencoder
  returns what it was trained on a little better, if anything, than others.

Every side is a multiple of 8, so that the 8-pixel latent grid stays whole.
"""

import argparse
import shutil

import torch
from PIL import Image

import autoencoder
from photographs import ORIGINALS

COUNTS = {"calibration": {"decoded": 160, "crops": 360}, "evaluation": {"decoded": 96, "crops": 48}}
# The sets of photographs that crops are taken of.
CROPPED = {"calibration": ("calibration", "training"), "evaluation": ("evaluation",)}
DECODED_SIZES = [(256, 256), (320, 320), (384, 256), (128, 128), (256, 384), (384, 288), (192, 160), (320, 256)]
CROP_SIZES = [(256, 256), (384, 288), (128, 128), (512, 384), (320, 320), (160, 192), (288, 384), (512, 512), (384, 384)]
PERTURBATIONS = (0.05, 0.3)


def fit(image, size):
    """Reduces the image as far as it still covers `size`, then crops the middle."""
    scale = max(size[0] / image.width, size[1] / image.height)
    reduced = (max(size[0], round(image.width * scale)), max(size[1], round(image.height * scale)))
    image = image.resize(reduced, Image.Resampling.LANCZOS)
    left, top = (image.width - size[0]) // 2, (image.height - size[1]) // 2
    return image.crop((left, top, left + size[0], top + size[1]))


def random_crop(image, size, generator):
    """A crop at a random place and a random scale between fitting and full size."""
    cover = max(size[0] / image.width, size[1] / image.height)
    scale = max(cover, float(torch.empty(()).uniform_(0.5, 1, generator=generator)))
    if scale != 1:
        reduced = [max(s, round(side * scale)) for s, side in zip(size, image.size)]
        image = image.resize(reduced, Image.Resampling.LANCZOS)
    left, top = (
        int(torch.randint(side - s + 1, (), generator=generator))
        for s, side in zip(size, image.size)
    )
    return image.crop((left, top, left + size[0], top + size[1]))


def to_image(decoded):
    levels = ((autoencoder.to_8_bit(decoded)[0] + 1) * 127.5).round().byte()
    return Image.fromarray(levels.permute(1, 2, 0).numpy())


@torch.no_grad()
def decode_one(model, images, index, generator):
    """One decoded image: by turns mixed, perturbed, and both."""
    size = DECODED_SIZES[index % len(DECODED_SIZES)]
    chosen = torch.randperm(len(images), generator=generator)[:2]
    first, second = (
        autoencoder.encode(model, autoencoder.to_tensor(fit(images[i], size))) for i in chosen
    )
    kind = ("mixed", "perturbed", "mixed-perturbed")[index % 3]
    latents = autoencoder.mix_latents(first, second, generator) if "mixed" in kind else first
    if "perturbed" in kind:
        strength = float(torch.empty(()).uniform_(*PERTURBATIONS, generator=generator))
        latents = autoencoder.perturb_latents(latents, strength, generator)
    return kind, to_image(model.decode(latents).sample)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=1)
    torch.set_num_threads(parser.parse_args().threads)
    model = autoencoder.load()
    for seed, (name, counts) in enumerate(COUNTS.items()):
        generator = torch.Generator().manual_seed(seed)
        cropped = [path for part in CROPPED[name] for path in sorted((ORIGINALS / part).glob("*.png"))]

        folder = autoencoder.DATA / "photographs" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for index in range(counts["crops"]):
            size = CROP_SIZES[index % len(CROP_SIZES)]
            path, again = cropped[index % len(cropped)], index // len(cropped)
            crop = random_crop(Image.open(path).convert("RGB"), size, generator)
            crop.save(folder / f"{path.stem}-{again}.png")

        images = [Image.open(path).convert("RGB") for path in sorted((ORIGINALS / name).glob("*.png"))]

        folder = autoencoder.DATA / "decoded" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for index in range(counts["decoded"]):
            kind, image = decode_one(model, images, index, generator)
            image.save(folder / f"{index:03d}-{kind}.png")
        print(f"{name}: {counts['decoded']} decoded images, {counts['crops']} photograph crops")


if __name__ == "__main__":
    main()
