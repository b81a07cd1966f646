"""What the golden scripts share: a synthetic picture, seeded weights, the double reconstruction, the files.

A golden is only worth as much as what it can catch, so `write_golden` refuses weights under which some
parameter could be forgotten without the losses showing it, or under which rounding decides the losses.
"""

import json
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save

HERE = Path(__file__).resolve().parent
#: The method's published numbers, images and real weights; not part of the repository.
REFERENCE = HERE.parents[2] / "shared" / "reference"

#: Neither side is a multiple of 16 or equal to the other, so that swapped axes and padding that is right
#: for even halves alone are caught.
HEIGHT, WIDTH = 40, 56

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)


def synthetic_picture(seed, height=HEIGHT, width=WIDTH):
    """A picture [1, 3, height, width] in [-1, 1]: colour gradients, soft discs, a fine ripple, some grain.

    Photographs have most of their power at low frequencies; white noise would leave the networks'
    later levels with next to nothing to work on.
    """
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    picture = np.empty((3, height, width))
    discs = random.uniform([0, 0, 4], [height, width, 14], size=(4, 3))
    for channel in range(3):
        slope_y, slope_x = random.uniform(-0.6, 0.6, size=2)
        plane = slope_y * (2 * y / height - 1) + slope_x * (2 * x / width - 1)
        for row, column, radius in discs:
            distance = np.hypot(y - row, x - column)
            plane += random.uniform(-0.8, 0.8) / (1 + np.exp((distance - radius) / 0.8))
        angle, phase = random.uniform(0, np.pi, size=2)
        plane += 0.12 * np.sin(1.7 * (np.cos(angle) * x + np.sin(angle) * y) + phase)
        plane += 0.03 * random.standard_normal((height, width))
        picture[channel] = plane
    return torch.from_numpy(picture.clip(-1, 1).astype(np.float32))[None]


def seed_parameters(module, seed, gain):
    """Fills a module: weights of convolutions and linear layers ~ N(0, gain(name)² / fan in), the affine
    parameters of norms and all biases away from the 1 and 0 that a forgotten one would amount to."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            values = torch.randn(parameter.shape, generator=generator)
            if parameter.ndim > 1:
                values *= gain(name) / parameter[0].numel() ** 0.5
            elif name.endswith("weight"):
                values = 1 + 0.3 * values
            else:
                values *= 0.2
            parameter.copy_(values)


def loss(reconstruction, image):
    """The mean square of the difference, in f64 from f32 values: it carries no rounding to speak of."""
    return (reconstruction.double() - image.double()).square().mean().item()


@torch.inference_mode()
def double_reconstruction(encode, decode, image):
    """The tensors and the losses of x1 = D(E(x)), x2 = D(E(x1)), with nothing clamped or rounded between."""
    latent = encode(image)
    first = decode(latent)
    second = decode(encode(first))
    tensors = {"input": image, "latent": latent, "first": first, "second": second}
    losses = {
        "first_loss": loss(first, image),
        "second_loss": loss(second, first),
    }
    return tensors, losses


def loss_change(found, expected):
    """The larger relative change of the two losses."""
    return max(abs(found[name] / expected[name] - 1) for name in expected)


def without(parameter, name):
    """What a parameter would amount to if it were forgotten."""
    is_norm_weight = parameter.ndim == 1 and name.endswith("weight")
    return torch.ones_like(parameter) if is_norm_weight else torch.zeros_like(parameter)


@torch.no_grad()
def check_weights(model, encode, decode, image, losses, without_effect):
    """Refuses weights that make a poor golden: losses of an odd size or nearly alike, losses that f32
    rounding moves, parameters (but for those whose name ends like one of `without_effect`, which cancel
    out by construction) whose absence the losses do not show at ten times the tests' tolerance of 1e-4."""
    first, second = losses["first_loss"], losses["second_loss"]
    assert 1e-2 < first < 1 and 1e-2 < second < 1 and not 0.9 < first / second < 1.1, losses
    model.double()
    _, exact = double_reconstruction(encode, decode, image.double())
    model.float()
    assert loss_change(losses, exact) < 2e-6, ("f32 rounding moves the losses", losses, exact)
    least = (float("inf"), "")
    for name, parameter in model.named_parameters():
        if name.endswith(without_effect):
            continue
        kept = parameter.clone()
        parameter.copy_(without(parameter, name))
        change = loss_change(double_reconstruction(encode, decode, image)[1], losses)
        parameter.copy_(kept)
        least = min(least, (change, name))
    assert least[0] > 1e-3, f"without {least[1]} the losses change by {least[0]:.1e} only"
    return {"rounding": loss_change(losses, exact), "least_noticed_parameter": least}


def versions(*packages):
    """What a golden was made with."""
    return {"python": platform.python_version()} | {package: version(package) for package in packages}


def write_tensors(path, tensors):
    path.write_bytes(save({name: tensor.contiguous() for name, tensor in tensors.items()}))


def write_json(path, content):
    path.write_text(json.dumps(content, indent=2) + "\n")


def write_golden(name, model, encode, decode, seed, packages=("torch", "diffusers"), without_effect=()):
    """Writes `golden.safetensors` and `golden.json` of a checked model; gives the folder, for its weights."""
    model.eval().requires_grad_(False)
    image = synthetic_picture(seed)
    tensors, losses = double_reconstruction(encode, decode, image)
    quality = check_weights(model, encode, decode, image, losses, tuple(without_effect))
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    write_tensors(folder / "golden.safetensors", tensors)
    write_json(folder / "golden.json", losses | {"versions": versions(*packages)})
    parameters = sum(parameter.numel() for parameter in model.parameters())
    spread = {key: round(tensor.std().item(), 3) for key, tensor in tensors.items()}
    print(f"{name}: {parameters} parameters, {losses}, {quality}, standard deviations {spread}")
    return folder
