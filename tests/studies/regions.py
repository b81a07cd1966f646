"""How well parts of an image are told that a decoder made, and that it did not.

    python tests/studies/regions.py make AUTOENCODER FOLDER
    aedr check --json --model … FOLDER/* > RESULTS.jsonl
    python tests/studies/regions.py table FOLDER RESULTS.jsonl

Squares of 64, 128 and 256 pixels of the autoencoder's reconstruction of a photograph are pasted into the photograph, and the
reverse, on the grid as an inpainting tool leaves them, as PNG and at JPEG 90. Photographs are those of the reference, their left
upper 480 × 320 or 320 × 480 pixels.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from orientation import jpeg, load, photographs, tensor
from PIL import Image

IMAGES = 8
SIDES = (0, 64, 128, 256)


@torch.inference_mode()
def make(name, folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    model = load(name)
    places = {}
    for index, path in enumerate(photographs()[:IMAGES]):
        with Image.open(path) as file:
            image = file.convert("RGB")
        photograph = image.crop((0, 0, 480, 320) if image.width > image.height else (0, 0, 320, 480))
        values = model.decode(model.encode(tensor(photograph)))[0].clamp(-1, 1)
        decoded = Image.fromarray(((values + 1) * 127.5).round().byte().permute(1, 2, 0).numpy())
        random = np.random.default_rng(index)
        for kind, base, other in (("photograph", photograph, decoded), ("decoded", decoded, photograph)):
            for side in SIDES:
                left, top = (int(random.integers(0, whole - side + 1)) // 8 * 8 for whole in base.size)
                made = base.copy()
                made.paste(other.crop((left, top, left + side, top + side)), (left, top))
                for format in ("png", "jpg"):
                    file = f"{kind}-{side}-{index}.{format}"
                    made.save(folder / file, **({"quality": 90} if format == "jpg" else {}))
                    places[file] = (left, top, side)
    (folder / "places.json").write_text(json.dumps(places))


def table(folder, results):
    """Of each kind: images with the right region, with one elsewhere, and the outcome; and the area under the curve by the clearest
    region, where images without a region are alike, against images without a part. A region is right if it covers the middle of
    the part."""
    places = json.loads((Path(folder) / "places.json").read_text())
    counts, clearest = defaultdict(lambda: np.zeros(4, int)), defaultdict(list)
    for line in Path(results).read_text().splitlines():
        row = json.loads(line)
        file = Path(row["image"]["path"]).name
        left, top, side = places[file]
        x, y = left + side / 2, top + side / 2
        wanted = "present" if file.startswith("photograph") else "absent"
        regions = row["control"]["regions"]
        right = [
            region["trace"] == wanted
            and region["left"] <= x < region["left"] + region["width"]
            and region["top"] <= y < region["top"] + region["height"]
            for region in regions
        ]
        kind = (*file.split("-")[:2], file.rsplit(".", 1)[1])
        clearest[kind].append(max((abs(region["score"]) for region in regions if region["trace"] == wanted), default=0))
        counts[kind] += [1, side > 0 and any(right), not all(right) if side else bool(regions), row["outcome"] == "matches"]
    print(f"{'image':12}{'part':>5}  {'file':5}{'images':>7}{'found':>7}{'elsewhere':>11}{'consistent':>12}{'AUC':>7}")
    by_kind = sorted(counts, key=lambda key: (key[0], key[2], int(key[1])))
    for key in by_kind:
        (kind, side, format), (images, found, elsewhere, consistent) = key, counts[key]
        own, without = np.array(clearest[key])[:, None], np.array(clearest[kind, "0", format])[None]
        area = (own > without).mean() + (own == without).mean() / 2
        row = f"{kind:12}{side:>5}  {format:5}{images:>7}{found:>7}{elsewhere:>11}{consistent:>12}"
        print(row + (f"{area:>7.3f}" if side != "0" else ""))


if __name__ == "__main__":
    {"make": make, "table": table}[sys.argv[1]](*sys.argv[2:])
