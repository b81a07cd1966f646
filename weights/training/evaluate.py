"""Measures the default autoencoder.

    python weights/training/evaluate.py --aedr target/release/aedr --model aedr-small
    python weights/training/evaluate.py --pytorch

Run `photographs.py` and `decode_samples.py` first. Prints the PSNR of held-out
photographs and how well two signals, t = L1/L2 * H and (L1/L2 - 1) * H, tell
images that this autoencoder decoded (from held-out photographs' latents) from
others: crops of held-out photographs and, where `../shared/reference/images` is
present, photographs and images of eight generators. Those may be large, so the
middle of each, at most 512 pixels a side and cut on the 8-pixel grid, is used.
"""

import argparse
import json
import subprocess
from pathlib import Path

import numpy as np
from PIL import Image

import measures
from autoencoder import DATA

REFERENCE = DATA.parent.parent / "shared" / "reference" / "images"
REFERENCE_SIDE = 512
WEIGHTS = DATA.parent / "weights"
IMAGES_A_CALL = 32


def pngs(folder):
    found = sorted((DATA / folder).glob("*.png"))
    if not found:
        raise SystemExit(f"{DATA / folder} holds no images: run decode_samples.py first")
    return found


def middle_on_grid(image):
    """The middle of an image, whole multiples of 8 from its top left corner."""
    starts, sides = [], []
    for side in image.size:
        kept = min(REFERENCE_SIDE, side // 8 * 8)
        starts.append((side - kept) // 2 // 8 * 8)
        sides.append(kept)
    return image.crop((*starts, starts[0] + sides[0], starts[1] + sides[1]))


def reference_images():
    """{group: [file]} of 8-bit copies; empty where the reference is absent."""
    groups = {}
    for path in sorted(REFERENCE.glob("*/*")):
        if path.suffix not in (".png", ".jpg"):
            continue
        copy = DATA / "reference" / path.parent.name / f"{path.stem}.png"
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            middle_on_grid(Image.open(path).convert("RGB")).save(copy)
        groups.setdefault(path.parent.name, []).append(copy)
    return groups


def measure_with_program(paths, program, model):
    """Rows (L1, L2, H) of the images, by `aedr check`."""
    rows = []
    for start in range(0, len(paths), IMAGES_A_CALL):
        command = [program, "check", "--json", "--model", model]
        command += paths[start : start + IMAGES_A_CALL]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        for line in output.splitlines():
            report = json.loads(line)
            losses = report["losses"]
            rows.append((losses["first"], losses["second"], report["homogeneity"]))
    if len(rows) != len(paths):
        raise SystemExit(f"{program} reported on {len(rows)} of {len(paths)} images")
    return rows


def measure_with_pytorch(paths, threads):
    """The same rows, by diffusers' AutoencoderKL."""
    import torch

    import autoencoder

    torch.set_num_threads(threads)
    model = autoencoder.load()
    rows = []
    for path in paths:
        image = Image.open(path).convert("RGB")
        losses = autoencoder.double_reconstruction_losses(model, autoencoder.to_tensor(image))
        rows.append((*losses, measures.homogeneity(np.asarray(image))))
    return rows


class Group:
    """The measured images of one origin."""

    def __init__(self, rows):
        self.first, self.second, self.homogeneity = np.array(rows).T
        self.ratio = self.first / self.second
        self.signal = self.ratio * self.homogeneity
        self.excess = (self.ratio - 1) * self.homogeneity


def print_groups(groups):
    print(f"{'group':<24}{'images':>7}{'PSNR':>8}{'L1/L2':>9}{'H':>8}{'t':>9}   (medians)")
    for name, group in groups.items():
        medians = [np.median(v) for v in (group.ratio, group.homogeneity, group.signal)]
        level = np.median(measures.psnr(group.first))
        print(f"{name:<24}{len(group.first):>7}{level:>8.2f}{medians[0]:>9.3f}{medians[1]:>8.3f}{medians[2]:>9.3f}")


def print_quantiles(name, values):
    print(f"  {name:<10}" + "".join(f"{value:>10.3f}" for value in measures.quantiles(values)))


def evaluate(measure, model):
    decoded = Group(measure(pngs("decoded/evaluation")))
    groups = {"held-out photographs": Group(measure(pngs("photographs/evaluation")))}
    for name, paths in reference_images().items():
        groups[name] = Group(measure(paths))
    held_out = measures.psnr(groups["held-out photographs"].first)
    print(f"held-out photographs: PSNR mean {held_out.mean():.2f} dB, minimum {held_out.min():.2f} dB")
    if not REFERENCE.is_dir():
        print("the reference's images are absent: the others are held-out photographs alone")

    others = {
        name: np.concatenate([getattr(group, name) for group in groups.values()])
        for name in ("ratio", "signal", "excess")
    }
    print(f"{len(decoded.ratio)} decoded images against {len(others['ratio'])} others")
    print(f"AUC of t = L1/L2 * H:    {measures.auc(decoded.signal, others['signal']):.4f}")
    print(f"AUC of (L1/L2 - 1) * H:  {measures.auc(decoded.excess, others['excess']):.4f}")
    print(f"AUC of L1/L2:            {measures.auc(decoded.ratio, others['ratio']):.4f}")
    print_groups({"decoded": decoded, **groups})
    print("t: minimum, 5 %, 25 %, median, 75 %, 95 %, maximum")
    print_quantiles("decoded", decoded.signal)
    print_quantiles("others", others["signal"])

    calibration = json.loads((WEIGHTS / model / "calibration.json").read_text())
    conditions = calibration["conditions"]
    written = next(c for c in conditions if c["compression"] == "lossless" and c["search"] == "none")
    tau = written["threshold"]
    accepted, rejected = (decoded.signal < tau).sum(), (others["signal"] >= tau).sum()
    total = len(decoded.signal) + len(others["signal"])
    print(
        f"threshold {tau:.4f}: {accepted} of {len(decoded.signal)} decoded accepted,"
        f" {rejected} of {len(others['signal'])} others rejected,"
        f" accuracy {(accepted + rejected) / total:.4f}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--aedr", type=Path, default=DATA.parent / "target" / "release" / "aedr")
    parser.add_argument("--model", default="aedr-small", help="the model's id for aedr check")
    parser.add_argument("--pytorch", action="store_true", help="measure with diffusers instead")
    parser.add_argument("--threads", type=int, default=1, help="threads of PyTorch")
    arguments = parser.parse_args()

    def measure(paths):
        if arguments.pytorch:
            return measure_with_pytorch(paths, arguments.threads)
        return measure_with_program(paths, arguments.aedr, arguments.model)

    evaluate(measure, arguments.model)


if __name__ == "__main__":
    main()
