"""Goldens of the orientation control (reference `orientation-control.md`): errors by parts in six orientations.

`orientation.json` has, in "networks", the sums of each tile of 16 px over all channels, and of each cell of 4 px of the
luma, for the input of some goldens beside it. In "crops" it has, for the real TAESD, TAESD3, TAEF1 and TAEF2 (reference
`tae/` and `taef2/`) and crops of reference images, S as the reference defines it and in relation to each
orientation alone, and the robust S in relation to the mirrored image. The crops are those that the reference's table can be compared with.

Written to the formula, not to the program: the image is turned, reconstructed, its error high-pass filtered and turned
back, in PyTorch and SciPy. The filter takes pixels mirrored about the outermost ones at the borders.
"""

import numpy as np
import torch
from diffusers import AutoencoderDC, AutoencoderKL, AutoencoderTiny
from PIL import Image
from safetensors.torch import load_file
from scipy.ndimage import correlate1d

import taef2
from golden import HERE, REFERENCE, versions, write_json

#: Side of a part in pixels, and the blur's standard deviation and reach.
TILES = (16, 0.8, 3)
CELLS = (4, 2.0, 7)
LUMA = (0.299, 0.587, 0.114)
#: Of the robust S: what is added to each cell, and the power of the errors as which cells weigh.
FLOOR, WEIGHT = 1e-5, 0.3

#: As `aedr` names them: how an image is turned, and how it is turned back.
ORIENTATIONS = {
    "upright": (lambda v: v, lambda v: v),
    "mirrored": (np.fliplr, np.fliplr),
    "flipped": (np.flipud, np.flipud),
    "half_turn": (lambda v: np.rot90(v, 2), lambda v: np.rot90(v, 2)),
    "quarter_turn": (lambda v: np.rot90(v), lambda v: np.rot90(v, -1)),
    "three_quarter_turn": (lambda v: np.rot90(v, -1), lambda v: np.rot90(v)),
}

#: What the reference's S compares with.
CONTROL = ("mirrored", "half_turn", "quarter_turn", "three_quarter_turn")

NETWORKS = {"tiny_taesd": AutoencoderTiny, "kl_quant": AutoencoderKL, "dc_ae": AutoencoderDC}

#: Of a reference file: autoencoder, left, top, width and height.
CROPS = [
    ("taesd", "generated/taesd-and-sd21-same-latent.png", 672, 160, 192, 192),
    ("taesd", "generated/taesd-and-sd21-same-latent.png", 160, 160, 192, 192),
    ("taesd", "generated/taesd-of-photo.png", 160, 160, 192, 192),
    ("taesd", "generated/photo.png", 160, 160, 192, 192),
    ("taesd", "images/Kodak/kodim23.png", 256, 128, 256, 256),
    *[("taesd3", "generated/taesd3-samples-grid.jpg", 2 + 130 * column, 2, 128, 128) for column in range(3)],
    ("taesd", "generated/taesd3-samples-grid.jpg", 2, 2, 128, 128),
    ("taef1", "generated/taesd3-samples-grid.jpg", 2, 2, 128, 128),
    ("taef2", "images/Kodak/kodim03.png", 256, 128, 248, 200),
    # Small enough for a software GPU in a browser.
    ("taesd", "generated/taesd-and-sd21-same-latent.png", 704, 192, 128, 128),
]


def tiny(name):
    """The published TAESD, TAESD3 or TAEF1: TAEF2 without its pooled blocks."""
    states = {half: load_file(REFERENCE / "tae" / f"{name}_{half}.safetensors") for half in ("encoder", "decoder")}
    channels = states["encoder"]["14.weight"].shape[0]
    model = taef2.Taef2(taef2.WIDTH, channels)
    for layers in (model.encoder, model.decoder):
        for layer in layers:
            if isinstance(layer, taef2.Block):
                layer.pool = None
    for half, state in states.items():
        layers = getattr(model, half)
        # The published decoders do not count the clamp that comes first.
        shift = len(layers) - 1 - max(int(key.split(".")[0]) for key in state)
        renamed = {}
        for key, value in state.items():
            index, rest = key.split(".", 1)
            renamed[f"{int(index) + shift}.{rest}"] = value.float()
        layers.load_state_dict(renamed, strict=True)
    return model.eval().requires_grad_(False)


def passes(name):
    """x → D(E(x)) of a golden's network."""
    network = NETWORKS[name]
    model = network.from_config(network.load_config(HERE / name)).float().eval()
    model.load_state_dict({key: value.float() for key, value in load_file(HERE / name / "model.safetensors").items()})

    def reconstruct(image):
        encoded = model.encode(image)
        latent = encoded.latent_dist.mode() if hasattr(encoded, "latent_dist") else encoded[0]
        return model.decode(latent).sample

    return reconstruct


def high(plane, sigma, reach):
    """A plane less its blur."""
    weights = np.exp(-np.arange(-reach, reach + 1) ** 2 / (2 * sigma**2))
    weights /= weights.sum()
    blurred = correlate1d(correlate1d(plane, weights, axis=0, mode="mirror"), weights, axis=1, mode="mirror")
    return plane - blurred


@torch.inference_mode()
def sums(reconstruct, image, orientation):
    """The tiles' and the cells' sums of the squared error of an image [height, width, 3] in [-1, 1], turned back."""
    turn, turn_back = ORIENTATIONS[orientation]
    turned = np.ascontiguousarray(turn(image))
    made = reconstruct(torch.from_numpy(turned).permute(2, 0, 1)[None].float())[0].permute(1, 2, 0).numpy()
    error = made.astype(np.float64) - turned
    channels = np.stack([high(error[..., channel], *TILES[1:]) for channel in range(3)], axis=-1)
    luma = high(error @ np.array(LUMA), *CELLS[1:])
    return parts(turn_back((channels**2).sum(-1)), TILES[0]), parts(turn_back(luma**2), CELLS[0])


def parts(values, side):
    """The sums of squares of this side, [rows, columns]."""
    height, width = values.shape
    return np.array(
        [[values[y : y + side, x : x + side].sum() for x in range(0, width, side)] for y in range(0, height, side)]
    )


def robust(own, mirrored):
    """The robust S of cells in relation to the mirrored image's."""
    own, mirrored = np.log(own + FLOOR), np.log(mirrored + FLOOR)
    weights = np.exp(WEIGHT * (own + mirrored) / 2)
    return (weights * np.tanh(own - mirrored)).sum() / weights.sum()


def main():
    networks = {}
    for name in NETWORKS:
        image = load_file(HERE / name / "golden.safetensors")["input"][0].permute(1, 2, 0).numpy()
        reconstruct = passes(name)
        networks[name] = {
            orientation: dict(
                zip(("tiles", "cells"), (part.tolist() for part in sums(reconstruct, image, orientation)))
            )
            for orientation in ORIENTATIONS
        }
    content = {"networks": networks, "crops": [], "versions": versions("torch", "diffusers", "scipy", "pillow")}
    for autoencoder, path, left, top, width, height in CROPS:
        model = taef2.load() if autoencoder == "taef2" else tiny(autoencoder)
        with Image.open(REFERENCE / path) as picture:
            crop = picture.convert("RGB").crop((left, top, left + width, top + height))
        image = np.asarray(crop) / 127.5 - 1
        found = {
            orientation: sums(lambda x: model.decode(model.encode(x)), image, orientation)
            for orientation in ORIENTATIONS
        }
        logs = {orientation: np.log(tiles.sum()) for orientation, (tiles, _) in found.items()}
        content["crops"].append(
            {
                "autoencoder": autoencoder,
                "path": path,
                "crop": [left, top, width, height],
                "signal": logs["upright"] - sum(logs[orientation] for orientation in CONTROL) / len(CONTROL),
                "half_turn": logs["upright"] - logs["half_turn"],
                "by_orientation": {
                    orientation: logs["upright"] - log for orientation, log in logs.items() if orientation != "upright"
                },
                "robust": robust(found["upright"][1], found["mirrored"][1]),
            }
        )
        print(content["crops"][-1], flush=True)
    write_json(HERE / "orientation.json", content)


if __name__ == "__main__":
    main()
