"""Golden of the real TAEF2: L1 and L2 of the reference images, whole and as crops, by PyTorch on the CPU.

The weights are the real f16 values, in f32 arithmetic. Images are decoded by Pillow (libjpeg-turbo for JPEG)
to 8-bit RGB. TAEF2 is sensitive to single grey levels where a picture is flat and saturated, as the three
JPEGs are over a third to two thirds of their crops: one value in a thousand off by one moved their losses
by up to 14 %, those of the two Kodak photographs tried by less than 0.1 %. So losses of JPEGs can only be
compared where the decoders agree to the last bit: `rgb_sha256`, of the whole image's RGB bytes, tells.

"full" is the image cropped from the top left to multiples of 8, "crop_256" its top left 256x256 at most.

The whole images take a quarter of an hour or more on one core, so the crops go first and the file is
written after each image.
"""

from hashlib import sha256

import numpy as np
import torch
from PIL import Image

import taef2
from golden import HERE, REFERENCE, double_reconstruction, versions, write_json

IMAGES = REFERENCE / "images"
OUTPUT = HERE / "taef2_losses.json"
CROP = 256


def decode(path):
    """8-bit RGB [height, width, 3]."""
    with Image.open(path) as image:
        return np.array(image.convert("RGB"))


def prepare(rgb):
    """[1, 3, height, width] in [-1, 1], the sides cut to multiples of 8."""
    height, width = (side - side % 8 for side in rgb.shape[:2])
    values = torch.from_numpy(rgb)
    return values[:height, :width].permute(2, 0, 1)[None].float() / 255 * 2 - 1


def measure(model, image):
    _, losses = double_reconstruction(model.encode, model.decode, image)
    return {"height": image.shape[2], "width": image.shape[3]} | losses


def describe(path):
    return {"path": path.relative_to(IMAGES).as_posix(), "rgb_sha256": sha256(decode(path).tobytes()).hexdigest()}


def main():
    model = taef2.load().to(memory_format=torch.channels_last)
    paths = sorted(path for path in IMAGES.glob("*/*") if path.suffix in (".png", ".jpg"))
    entries = [describe(path) for path in paths]
    content = {"images": entries, "versions": versions("torch", "numpy", "pillow")}
    for part, side in (("crop_256", CROP), ("full", None)):
        for path, entry in zip(paths, entries):
            entry[part] = measure(model, prepare(decode(path))[..., :side, :side])
            write_json(OUTPUT, content)
            print(part, entry["path"], entry[part], flush=True)


if __name__ == "__main__":
    main()
