"""The orientation control over photographs and painted images, in many forms (reference `orientation-control.md`).

    python tests/studies/orientation.py statistics|compressions|sizes|places|resized [AUTOENCODER…]
    python tests/studies/orientation.py scatter PACKS RESULTS [AUTOENCODER…]

Autoencoders are taesd, taesdxl, taesd3, taef1 and taef2. Photographs are those of the reference, their middle squares of 192
pixels; painted images are decoded by the autoencoder from blended and noisy latents of photographs that are not among the
others, and rounded to 8 bits. Both kinds go through the same JPEG compression.
"""

import io
import json
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy import stats
from scipy.ndimage import gaussian_filter

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "goldens"))
import taef2  # noqa: E402
from golden import REFERENCE  # noqa: E402
from make_orientation import FLOOR, LUMA, ORIENTATIONS, WEIGHT, tiny  # noqa: E402

torch.set_num_threads(2)
torch.use_deterministic_algorithms(False)
SIDE = 192
ALL = ("taesd", "taesdxl", "taesd3", "taef1", "taef2")
#: Of the score: how much ln L1/L2 counts beside the robust S, and how far it may.
RATIO_WEIGHT, RATIO_REACH = 0.5, 1.5
#: Degrees of freedom of Student's t, by whose tail a score is a share of foreign images.
TAIL = 30


def photographs():
    paths = sorted((REFERENCE / "photos").glob("*.jpg"))
    order = np.random.default_rng(1).permutation(len(paths))
    return [paths[index] for index in order]


def middle(path, scale=1.0, side=SIDE):
    with Image.open(path) as file:
        image = file.convert("RGB")
    if scale != 1.0:
        image = image.resize([round(side * scale) for side in image.size], Image.BICUBIC)
    return square(image, side)


def square(image, side):
    left, top = ((whole - side) // 2 // 8 * 8 for whole in image.size)
    return image.crop((left, top, left + side, top + side))


def jpeg(image, quality):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def tensor(image):
    values = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 127.5 - 1
    return values.contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def paint(model, path, other, turn, seed, side=SIDE):
    """An image of 8 bits, as `aedr paint` makes them."""
    random = np.random.default_rng(seed)
    torch.manual_seed(seed)
    latent = model.encode(tensor(middle(path, side=side)))
    if turn != 1:
        share = random.uniform(0.25, 0.75)
        if turn == 2:
            across = torch.arange(latent.shape[-1]) / latent.shape[-1]
            share = ((across - share) * 4 + 0.5).clamp(0, 1)
        latent = latent + share * (model.encode(tensor(middle(other, side=side))) - latent)
    if turn != 0:
        deviation = latent.std((2, 3), keepdim=True)
        latent = latent + random.uniform(0.05, 0.3) * deviation * torch.randn_like(latent)
    values = model.decode(latent)[0].clamp(-1, 1)
    return Image.fromarray(((values + 1) * 127.5).round().byte().permute(1, 2, 0).numpy())


@torch.inference_mode()
def error(model, x, name):
    """The reconstruction of an image that was turned, and its error [3, height, width] turned back."""
    turn, back = ORIENTATIONS[name]
    turned = torch.from_numpy(np.ascontiguousarray(turn(x[0].permute(1, 2, 0).numpy()))).permute(2, 0, 1)[None]
    turned = turned.contiguous(memory_format=torch.channels_last)
    made = model.decode(model.encode(turned))
    return made, back((made - turned)[0].permute(1, 2, 0).numpy()).transpose(2, 0, 1)


@torch.inference_mode()
def measure(model, image, orientations):
    """The errors [orientations, 3, height, width], turned back, and ln L1/L2. The first orientation is the upright one."""
    x = tensor(image)
    made, errors = zip(*(error(model, x, name) for name in orientations))
    second = model.decode(model.encode(made[0]))
    ratio = (made[0] - x).square().mean().log() - (second - made[0]).square().mean().log()
    return np.stack(errors), ratio.item()


def cells(errors, sigma, side, luma=True):
    """Sums of squares of the high-pass filtered errors over cells, [orientations, rows, columns]."""
    if luma:
        errors = np.tensordot(errors, np.array(LUMA), axes=([1], [0]))[:, None]
    high = errors - gaussian_filter(errors, (0, 0, sigma, sigma), mode="mirror", truncate=3.6)
    squares = (high.astype(float) ** 2).sum(1)
    count, height, width = squares.shape
    return squares.reshape(count, height // side, side, width // side, side).sum((2, 4))


def plain(sums):
    """S in relation to all other orientations."""
    logs = np.log(sums.sum((1, 2)))
    return logs[0] - logs[1:].mean()


def robust(sums):
    """The robust S, and its standard error by blocks of 4 cells a side."""
    logs = np.log(sums + FLOOR)
    advantage = np.tanh(logs[0] - logs[1:].mean(0))
    weights = np.exp(WEIGHT * logs.mean(0))
    signal = (weights * advantage).sum() / weights.sum()
    influence = weights * (advantage - signal) / weights.sum()
    rows, columns = influence.shape
    blocks = influence.reshape(rows // 4, 4, columns // 4, 4).sum((1, 3))
    return signal, np.sqrt((blocks**2).sum() * blocks.size / (blocks.size - 1))


def statistics(names):
    """Of each form: how many standard deviations of photographs lie between the means of the two kinds, the area under the
    curve, and the share of the painted images that lies below all photographs. At JPEG 75."""
    paths = photographs()
    forms = {
        "S, sigma 0.8, RGB, mirrored": lambda errors: plain(cells(errors[:2], 0.8, 16, luma=False)),
        "S, the same, half turn": lambda errors: plain(cells(errors[[0, 3]], 0.8, 16, luma=False)),
        "S, sigma 2, luma, mirrored": lambda errors: plain(cells(errors[:2], 2, 16)),
        "robust S, sigma 0.8, luma, 16 px": lambda errors: robust(cells(errors[:2], 0.8, 16))[0],
        "robust S, sigma 0.8, luma, 4 px": lambda errors: robust(cells(errors[:2], 0.8, 4))[0],
        "robust S, sigma 2, RGB, 4 px": lambda errors: robust(cells(errors[:2], 2, 4, luma=False))[0],
        "robust S, sigma 2, luma, 4 px": lambda errors: robust(cells(errors[:2], 2, 4))[0],
        "the same, half turn": lambda errors: robust(cells(errors[[0, 3]], 2, 4))[0],
        "the same, mirrored, flipped": lambda errors: robust(cells(errors[:3], 2, 4))[0],
        "the same, and half turn": lambda errors: robust(cells(errors, 2, 4))[0],
    }
    for name in names:
        model = load(name)
        orientations = ("upright", "mirrored", "flipped", "half_turn")
        others = [measure(model, jpeg(middle(path), 75), orientations) for path in paths[:64]]
        own = []
        for index in range(30):
            painted = paint(model, paths[-1 - index], paths[-40 - index], index % 3, index)
            own.append(measure(model, jpeg(painted, 75), orientations))
        for form, value in forms.items():
            a, b = (np.array([value(errors) for errors, _ in kind]) for kind in (others, own))
            show(name, form, a, b)


def show(name, form, others, own):
    distance = (others.mean() - own.mean()) / others.std()
    area = (own[:, None] < others[None]).mean()
    print(f"{name:8} {form:34} {distance:6.2f} {area:.4f} {(own < others.min()).mean():.2f}", flush=True)


def compressions(names):
    """How well each signal tells 20 painted images from 50 photographs by compression, 192 pixels."""
    paths = photographs()
    for name in names:
        model = load(name)
        own = [paint(model, paths[-1 - index], paths[-50 - index], index % 3, index) for index in range(20)]
        others = [middle(path) for path in paths[:50]]
        for quality in (None, 95, 85, 75, 60):
            condition = "as they are" if quality is None else f"JPEG {quality}"
            kinds = ([image if quality is None else jpeg(image, quality) for image in kind] for kind in (others, own))
            compare(name, condition, *([witnesses(model, image) for image in kind] for kind in kinds))


def sizes(names):
    """The same by size at JPEG 75: middles of 16 painted images and of 30 photographs of at least 512 pixels a side, those that
    the demonstration model's makers downloaded (`weights/training/photographs.py`)."""
    folder = Path(__file__).resolve().parents[2] / "data/photographs/originals"
    paths = []
    for path in sorted(folder.glob("*/*.png")):
        with Image.open(path) as image:
            paths += [path] if min(image.size) >= 512 else []
    order = np.random.default_rng(1).permutation(len(paths))
    paths = [paths[index] for index in order]
    for name in names:
        model = load(name)
        own = [paint(model, paths[-1 - index], paths[-30 - index], index % 3, index, 512) for index in range(16)]
        others = [middle(path, side=512) for path in paths[:30]]
        for side in (64, 128, 192, 256, 384, 512):
            kinds = ([jpeg(square(image, side), 75) for image in kind] for kind in (others, own))
            compare(name, f"{side} px", *([witnesses(model, image) for image in kind] for kind in kinds))


def witnesses(model, image):
    """S, the robust S and its standard error, ln L1/L2, and H."""
    errors, ratio = measure(model, image, ("upright", "mirrored"))
    levels = np.array(image).astype(int) @ np.array((299, 587, 114)) // 1000 // 8
    homogeneity = (1 / (1 + np.diff(levels, axis=1) ** 2)).mean()
    return (plain(cells(errors, 0.8, 16, luma=False)), *robust(cells(errors, 2, 4)), ratio, homogeneity)


def compare(name, condition, others, own):
    """Of each signal: the area under the curve, and the share of the painted images that lies below all photographs. The score's
    scatter is that of these photographs."""
    null, painted = np.array(others).T, np.array(own).T
    spread = np.sqrt(max(0, (null[1] ** 2).mean() - (null[2] ** 2).mean()))
    centre = np.median(null[3])
    deviation = 1.4826 * np.median(np.abs(null[3] - centre))
    line = [f"{name:8} {condition:12}"]
    for signal, value in {
        "S": lambda of: of[0],
        "score": lambda of: score(of[1] / np.hypot(of[2], spread), (of[3] - centre) / deviation),
        "L1/L2": lambda of: of[3],
        "t": lambda of: of[3] + np.log(of[4]),
    }.items():
        a, b = value(null), value(painted)
        line.append(f"{signal} {(b[:, None] < a[None]).mean():.3f} {(b < a.min()).mean():4.0%}")
        if signal == "score":
            line.append(f"(at p 0.001 {(stats.t.cdf(b, TAIL) <= 0.001).mean():.0%}, {(stats.t.cdf(a, TAIL) <= 0.001).sum()} false)")
    print("  ".join(line), flush=True)


def score(own, outlying):
    return (own + RATIO_WEIGHT * np.clip(outlying, -RATIO_REACH, RATIO_REACH)) / np.hypot(1, RATIO_WEIGHT)


#: Places, in pixels, with which the contrast of a place is compared.
ELSEWHERE = ((1, 3), (3, 5), (5, 1), (7, 3), (3, 7), (5, 5), (1, 7))


def places(names):
    """How often a deep scan's steps find the place of 12 painted images of 256 pixels that were cut by 3 and 5 pixels, at JPEG 75:
    the contrast of squares of 64 pixels, then that of 96 pixels for the best three, or the robust S of larger squares for six."""
    paths = photographs()
    for name in names:
        model = load(name)
        found = {}
        for index in range(12):
            painted = paint(model, paths[-1 - index], paths[-50 - index], index % 3, index, 256)
            image = jpeg(painted.crop((3, 5, 256, 256)), 75)
            left, top = liveliest(image, 72)
            true = ((5 - left) % 8, (3 - top) % 8)
            coarse = contrasts(model, image, (left, top), 64)
            best = sorted(coarse, key=coarse.get)
            steps = {"first of 64 places": best[:1], "among the first three": best[:3], "among the first six": best[:6]}
            fine = contrasts(model, image, liveliest(image, 104), 96)
            # The same places of the grid, wherever the larger square begins.
            left_of, top_of = (one - other for one, other in zip((left, top), liveliest(image, 104)))
            of_fine = {place: fine[(place[0] + left_of) % 8, (place[1] + top_of) % 8] for place in best[:3]}
            steps["contrast of 96 px decides of three"] = [min(of_fine, key=of_fine.get)]
            for side in (96, 128, 160, 192):
                signals = {place: signal_at(model, image, ((left + place[0]) % 8, (top + place[1]) % 8), side) for place in best[:6]}
                steps[f"robust S of {side} px decides of six"] = [min(signals, key=signals.get)]
            for step, chosen in steps.items():
                found[step] = found.get(step, 0) + (true in chosen)
        for step, count in found.items():
            print(f"{name:8} {step:36} {count} of 12", flush=True)


def resized(names):
    """What is left of six painted images of 256 pixels that were cut by 4 pixels and resized, when they are brought to their former size:
    the rank of the true place among 64 by the contrast of squares of 64 pixels, and the robust S there."""
    paths = photographs()
    for name in names:
        model = load(name)
        for factor in (0.5, 0.75, 1.25):
            for quality in (None, 85):
                ranks, signals = [], []
                for index in range(6):
                    painted = paint(model, paths[-1 - index], paths[-50 - index], index % 3, index, 256).crop((4, 4, 256, 256))
                    small = painted.resize([round(side * factor) for side in painted.size], Image.LANCZOS)
                    image = (small if quality is None else jpeg(small, quality)).resize(painted.size, Image.BICUBIC)
                    left, top = liveliest(image, 72)
                    coarse = contrasts(model, image, (left, top), 64)
                    ranks.append(sorted(coarse, key=coarse.get).index(((4 - left) % 8, (4 - top) % 8)) + 1)
                    signals.append(signal_at(model, image, (4, 4), 240))
                condition = f"resized by {factor}" + ("" if quality is None else f", JPEG {quality}")
                print(f"{name:8} {condition:24} ranks {ranks}, robust S {np.median(signals):.2f}", flush=True)


def liveliest(image, side):
    """Where the square with the most texture begins."""
    grey = np.array(image).astype(int) @ np.array((299, 587, 114)) // 1000
    steps = [[start // 8 * 8 for start in np.linspace(0, whole - side, 9).astype(int)] for whole in image.size]

    def texture(place):
        left, top = place
        return np.minimum(np.abs(np.diff(grey[top : top + side, left : left + side], axis=1)), 32).sum()

    return max(((left, top) for top in steps[1] for left in steps[0]), key=texture)


@torch.inference_mode()
def contrasts(model, image, begin, side):
    """ln of the contrast at each of the 64 places from where the region begins."""
    region = tensor(image)[..., begin[1] : begin[1] + side + 8, begin[0] : begin[0] + side + 8]
    logs = {}
    for y in range(8):
        squares = torch.cat([region[..., y : y + side, x : x + side] for x in range(8)])
        squares = squares.contiguous(memory_format=torch.channels_last)
        made = ((model.decode(model.encode(squares)) - squares) ** 2).sum(1).numpy()
        for x in range(8):
            common = made[x, 16 - y : side - 8 - y, 16 - x : side - 8 - x]
            rows, columns = (length // 8 for length in common.shape)
            errors = common.reshape(rows, 8, columns, 8).mean((1, 3)) / 3
            logs[x, y] = np.log(errors + 1e-5).mean()
    near = lambda x, y: np.mean([logs[(x + right) % 8, (y + down) % 8] for right, down in ELSEWHERE])  # noqa: E731
    return {(x, y): value - near(x, y) for (x, y), value in logs.items()}


def signal_at(model, image, begin, side):
    """The robust S of a square about the middle of the image, on the grid that begins there."""
    aligned = image.crop((*begin, *image.size))
    errors, _ = measure(model, square(aligned, side), ("upright", "mirrored"))
    return robust(cells(errors, 2, 4))[0]


def scatter(names):
    """The p-values of 300 photographs and of the reference's other images, middles of 128 pixels, at JPEG 75 and resized by 0.75, by
    the program's own calibrations: the first name is the folder of packs that have them, the second one that of the results, which
    are written as `aedr evaluate` writes its own (`p_values.py` reads both)."""
    packs, folder, *names = names
    images = photographs() + sorted(path for path in (REFERENCE / "images").glob("*/*") if path.is_file())
    for name in names or ALL:
        model = load(name)
        control = json.loads((Path(packs) / name / "calibration.json").read_text())["control"]
        (size,) = (size for size in control["sizes"] if round(size["side"]) == 128)
        for condition, edits in (("j75", ["middle:128", "jpeg:75"]), ("r75", ["resize:0.75", "middle:128"])):
            with open(Path(folder) / f"{condition}.{name}.jsonl", "w") as results:
                for path in images:
                    image = middle(path, 0.75 if condition == "r75" else 1.0, 128)
                    share = looks(model, jpeg(image, 75) if condition == "j75" else image, size)
                    row = {"image": {"path": str(path.resolve())}, "series": {"model": name, "edits": edits}, "outcome": None}
                    row["control"] = {"evidence": {"other_share": share}, "regions": []}
                    print(json.dumps(row), file=results)


def looks(model, image, size):
    """The p-value after the mirrored image, and after others while it is undecided, as the program goes on."""
    order = ("upright", "mirrored", "flipped", "half_turn", "quarter_turn", "three_quarter_turn")
    errors, ratio = measure(model, image, order[:2])
    centre, deviation = size["log_ratio"]
    for count in range(2, len(order) + 1):
        if count > len(errors):
            errors = np.concatenate([errors, error(model, tensor(image), order[count - 1])[1][None]])
        signal, own = robust(cells(errors, 2, 4))
        share = stats.t.cdf(score(signal / np.hypot(own, size["spread"]), (ratio - centre) / deviation), TAIL)
        if not 1e-6 <= share <= 0.1:
            break
    return float(share)


def load(name):
    model = taef2.load() if name == "taef2" else tiny(name)
    return model.to(memory_format=torch.channels_last)


COMMANDS = {"statistics": statistics, "scatter": scatter, "compressions": compressions, "sizes": sizes, "places": places, "resized": resized}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](sys.argv[2:] or ALL)
