"""Goldens of the orientation control (reference `orientation-control.md`): errors by tiles of 16 px in six orientations.

`orientation.json` has, in "networks", the sums of each tile for the input of some goldens beside it, and in "crops", for
the real TAESD, TAESD3, TAEF1 and TAEF2 (reference `tae/` and `taef2/`), the logarithm of the error of reference images in
each orientation. The crops are those that the reference's table can be compared with.

Written to the formula, not to the program: the image is turned, reconstructed, its error high-pass filtered and turned
back, in PyTorch and SciPy. The filter takes pixels mirrored about the outermost ones at the borders.
"""

import numpy as np
import torch
from diffusers import AutoencoderDC, AutoencoderKL, AutoencoderTiny
from PIL import Image
from safetensors.torch import load_file
from scipy.ndimage import correlate1d
from torch import nn

import taef2
from golden import HERE, REFERENCE, versions, write_json

TILE = 16
SIGMA, REACH = 0.8, 3

#: As `aedr` names them: how an image is turned, and how it is turned back.
ORIENTATIONS = {
    "upright": (lambda v: v, lambda v: v),
    "mirrored": (np.fliplr, np.fliplr),
    "flipped": (np.flipud, np.flipud),
    "half_turn": (lambda v: np.rot90(v, 2), lambda v: np.rot90(v, 2)),
    "quarter_turn": (lambda v: np.rot90(v), lambda v: np.rot90(v, -1)),
    "three_quarter_turn": (lambda v: np.rot90(v, -1), lambda v: np.rot90(v)),
}

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


def blurred(plane):
    weights = np.exp(-np.arange(-REACH, REACH + 1) ** 2 / (2 * SIGMA**2))
    weights /= weights.sum()
    return correlate1d(correlate1d(plane, weights, axis=0, mode="mirror"), weights, axis=1, mode="mirror")


@torch.inference_mode()
def squares(reconstruct, image, orientation):
    """The squared high-frequency error of an image [height, width, 3] in [-1, 1], turned back."""
    turn, turn_back = ORIENTATIONS[orientation]
    turned = np.ascontiguousarray(turn(image))
    made = reconstruct(torch.from_numpy(turned).permute(2, 0, 1)[None].float())[0].permute(1, 2, 0).numpy()
    error = made.astype(np.float64) - turned
    error -= np.stack([blurred(error[..., channel]) for channel in range(3)], axis=-1)
    return turn_back((error**2).sum(-1))


def tiles(values):
    """The sums of each tile, [rows, columns]."""
    height, width = values.shape
    return [
        [float(values[y : y + TILE, x : x + TILE].sum()) for x in range(0, width, TILE)]
        for y in range(0, height, TILE)
    ]


def main():
    networks = {}
    for name in NETWORKS:
        image = load_file(HERE / name / "golden.safetensors")["input"][0].permute(1, 2, 0).numpy()
        reconstruct = passes(name)
        networks[name] = {
            orientation: tiles(squares(reconstruct, image, orientation)) for orientation in ORIENTATIONS
        }
    content = {"networks": networks, "crops": [], "versions": versions("torch", "diffusers", "scipy", "pillow")}
    for autoencoder, path, left, top, width, height in CROPS:
        model = taef2.load() if autoencoder == "taef2" else tiny(autoencoder)
        with Image.open(REFERENCE / path) as picture:
            crop = picture.convert("RGB").crop((left, top, left + width, top + height))
        image = np.asarray(crop) / 127.5 - 1
        reconstruct = lambda x: model.decode(model.encode(x))
        logs = {
            orientation: float(np.log(squares(reconstruct, image, orientation).sum()))
            for orientation in ORIENTATIONS
        }
        control = ("mirrored", "half_turn", "quarter_turn", "three_quarter_turn")
        signal = logs["upright"] - sum(logs[orientation] for orientation in control) / len(control)
        crop = {"path": path, "left": left, "top": top, "width": width, "height": height}
        content["crops"].append({"autoencoder": autoencoder} | crop | {"logarithms": logs, "signal": signal})
        print(autoencoder, path, left, round(signal, 3), flush=True)
    write_json(HERE / "orientation.json", content)


if __name__ == "__main__":
    main()
