"""Every published autoencoder at its full width, with seeded weights: the program's losses against PyTorch's.

    cargo build --release
    python tests/goldens/full_width.py [ID …] [--keep FOLDER]

IDs are those of weights/catalog.json; by default all of them, but for entries of the same architecture and for
TAEF2, whose real weights the tests have. The weights, up to 1.25 GB, are written to a folder that is gone afterwards,
or to FOLDER, where tests/browser/models/full-width.mjs can take them from.
"""

import argparse
import contextlib
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderDC, AutoencoderKL, AutoencoderKLFlux2, AutoencoderKLQwenImage, AutoencoderTiny, VQModel
from PIL import Image

import make_dc
import make_kl
import make_tiny
import make_vq
import make_wan
from golden import HERE, double_reconstruction, seed_parameters, synthetic_picture, write_tensors

ROOT = HERE.parents[1]
PROGRAM = ROOT / "target/release/aedr"
#: Small, and multiples of 32: DC-AE divides by that, and asks for four times as much.
HEIGHT, WIDTH = 128, 160
SEED = 1

WIDE = [128, 256, 512, 512]
NO_QUANT = {"use_quant_conv": False, "use_post_quant_conv": False}


def kl(latent_channels, kind=AutoencoderKL, **rest):
    options = make_kl.config(WIDE, layers_per_block=2, latent_channels=latent_channels) | {"norm_num_groups": 32} | rest
    if kind is AutoencoderKLFlux2:
        del options["force_upcast"]
    return kind(**options), make_kl.gain


def tiny(latent_channels):
    return AutoencoderTiny(latent_channels=latent_channels), make_tiny.gain


def vq(widths, latent_channels, **rest):
    options = make_vq.config(widths, latent_channels=latent_channels) | {"layers_per_block": 2, "norm_num_groups": 32}
    return VQModel(**options | rest), make_vq.gain


def sana():
    plain, attentive = ["ResBlock"] * 3, ["EfficientViTBlock"] * 3
    halves = {f"{half}_block_types": plain + attentive for half in ("encoder", "decoder")}
    return AutoencoderDC(**halves, downsample_block_type="conv", upsample_block_type="interpolate"), make_dc.gain


#: By the catalogue's id: the model and the gains of its weights.
MODELS = {
    "sd1": lambda: kl(4),
    "sd3": lambda: kl(16, **NO_QUANT),
    "flux1": lambda: kl(16, **NO_QUANT),
    "flux2": lambda: kl(32, AutoencoderKLFlux2),
    "kandinsky2": lambda: vq([128, 256, 256, 512], 4, num_vq_embeddings=16384, vq_embed_dim=4, norm_type="spatial"),
    "vq-diffusion": lambda: vq([64, 128, 256, 512], 256, num_vq_embeddings=4096, vq_embed_dim=128),
    "qwen-image": lambda: (AutoencoderKLQwenImage(), make_wan.gain),
    "dc-ae": sana,
    "taesd": lambda: tiny(4),
    "taef1": lambda: tiny(16),
}
#: flux1 is sd3 with other weights: for tests/browser/models/full-width.mjs.
DEFAULT = [name for name in MODELS if name != "flux1"]


def seeded(name):
    model, gain = MODELS[name]()
    if isinstance(model, AutoencoderTiny):
        make_tiny.seed_tiny(model, model.encoder.layers, model.decoder.layers, SEED)
    else:
        seed_parameters(model, SEED, gain)
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            if parameter_name.endswith(".gamma"):
                parameter.copy_(1 + 0.3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(SEED)))
    return model.eval().requires_grad_(False)


def passes(model):
    """Encoding and decoding."""
    if isinstance(model, AutoencoderKLQwenImage):
        return make_wan.encode_with(model), make_wan.decode_with(model)
    if isinstance(model, VQModel):
        quantised = model.config.norm_type != "spatial"
        decode = lambda latent: model.decode(latent, force_not_quantize=not quantised).sample
        return lambda image: model.encode(image).latents, decode
    decode = lambda latent: model.decode(latent).sample
    if isinstance(model, (AutoencoderTiny, AutoencoderDC)):
        name = "latents" if isinstance(model, AutoencoderTiny) else "latent"
        return lambda image: getattr(model.encode(image), name), decode
    return lambda image: model.encode(image).latent_dist.mean, decode


def run(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], check=True, stdout=subprocess.PIPE, text=True).stdout


def compare(name, folder):
    model = seeded(name)
    folder.mkdir(parents=True, exist_ok=True)
    pixels = ((synthetic_picture(SEED, HEIGHT, WIDTH)[0] + 1) * 127.5).round().clamp(0, 255)
    Image.fromarray(pixels.permute(1, 2, 0).numpy().astype(np.uint8)).save(folder / "picture.png")
    _, losses = double_reconstruction(*passes(model), pixels[None] / 127.5 - 1)
    (folder / "losses.json").write_text(json.dumps(losses))
    write_tensors(folder / "model.safetensors", model.state_dict())
    parameters = sum(parameter.numel() for parameter in model.parameters())
    del model
    run("pack", folder / "model.safetensors", "--entry", name, "--precision", "f32", "--out", folder / name)
    report = run("check", folder / "picture.png", "--weights", folder, "--model", name, "--device", "cpu", "--json")
    found = json.loads(report)["losses"]
    errors = [abs(found[key] / losses[f"{key}_loss"] - 1) for key in ("first", "second")]
    print(f"{name:14}{parameters / 1e6:9.2f} M   L1 {errors[0]:.1e}   L2 {errors[1]:.1e}", flush=True)
    return max(errors)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ids", nargs="*", metavar="ID", help=", ".join(MODELS))
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    worst = 0
    for name in arguments.ids or DEFAULT:
        kept = contextlib.nullcontext(arguments.keep) if arguments.keep else tempfile.TemporaryDirectory()
        with kept as folder:
            worst = max(worst, compare(name, Path(folder) / name))
    assert worst < 1e-4, f"{worst:.1e}"
