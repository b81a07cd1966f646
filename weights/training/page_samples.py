"""Makes the page's sample images: `www/samples/*` and `www/samples/samples.json`.

    python weights/training/page_samples.py

Three are decoded by the default autoencoder from mixed or perturbed latents, as
8-bit PNG; three are photographs as they are. All come from photographs that
were not trained on, with licences that allow passing them on with a credit.
"""

import json
import shutil

import torch
from PIL import Image

import autoencoder
from decode_samples import fit, to_image
from photographs import ORIGINALS, catalogue

SAMPLES = autoencoder.DATA.parent / "www" / "samples"
SIZE = (384, 256)
JPEG_QUALITY = 92
PERTURBATION = 0.06

LOMIRI = "https://gitlab.com/ubports/development/core/lomiri-wallpapers"
SCIKIT_IMAGE = "https://scikit-image.org/docs/stable/api/skimage.data.html"
SCIKIT_LEARN = "https://scikit-learn.org/stable/datasets/loading_other_datasets.html"

# A decoded sample blends one photograph's latents (above) into another's (below)
# at a height between 0, the top, and 1; with one photograph, it perturbs them.
DECODED = [
    {
        "file": "dandelion-mountain.png",
        "title": "Dandelions below a mountain",
        "photographs": ["picosdeeuropa-by-aitzol-berasategi", "seeding-by-clements-engelhardt"],
        "height": 0.5,
        "source": LOMIRI,
    },
    {
        "file": "pavilion-meadow.png",
        "title": "Pavilion on a meadow",
        "photographs": ["china", "aitzgorri-by-aitzol-berasategi"],
        "height": 0.75,
        "source": SCIKIT_LEARN,
    },
    {
        "file": "dahlia.png",
        "title": "Dahlia",
        "photographs": ["flower"],
        "source": SCIKIT_LEARN,
    },
]
PHOTOGRAPHS = [
    {"file": "coffee.jpg", "title": "Coffee cup", "photograph": "coffee", "source": SCIKIT_IMAGE},
    {"file": "cat.jpg", "title": "Cat", "photograph": "chelsea", "source": SCIKIT_IMAGE},
    {
        "file": "paintbrushes.jpg",
        "title": "Paintbrushes",
        "photograph": "picture-1a-by-freespace",
        "source": LOMIRI,
    },
]


def open_sample(name):
    return fit(Image.open(ORIGINALS / "evaluation" / f"{name}.png").convert("RGB"), SIZE)


@torch.no_grad()
def decode_sample(model, sample, generator):
    latents = [
        autoencoder.encode(model, autoencoder.to_tensor(open_sample(name)))
        for name in sample["photographs"]
    ]
    if len(latents) == 1:
        result = autoencoder.perturb_latents(latents[0], PERTURBATION, generator)
    else:
        heights = torch.linspace(0, 1, latents[0].shape[-2]).view(1, 1, -1, 1)
        below = ((heights - sample["height"]) * 16).sigmoid()
        result = latents[0] * (1 - below) + latents[1] * below
    return to_image(model.decode(result).sample)


def entry(sample, names, decoded, photographs):
    used = [photographs[name] for name in names]
    credit = " and ".join(dict.fromkeys(photograph["author"] for photograph in used))
    if decoded:
        credit = f"decoded from photographs by {credit}" if len(used) > 1 else (
            f"decoded from a photograph by {credit}"
        )
    return {
        "file": sample["file"],
        "title": sample["title"],
        "decoded": decoded,
        "credit": credit,
        "licence": ", ".join(dict.fromkeys(photograph["licence"] for photograph in used)),
        "source": sample["source"],
    }


def main():
    photographs = {photograph["name"]: photograph for photograph in catalogue()[1]}
    shutil.rmtree(SAMPLES, ignore_errors=True)
    SAMPLES.mkdir(parents=True)
    model = autoencoder.load()
    generator = torch.Generator().manual_seed(0)
    entries = []
    for sample in DECODED:
        decode_sample(model, sample, generator).save(SAMPLES / sample["file"], optimize=True)
        entries.append(entry(sample, sample["photographs"], True, photographs))
    for sample in PHOTOGRAPHS:
        image = open_sample(sample["photograph"])
        image.save(SAMPLES / sample["file"], quality=JPEG_QUALITY, optimize=True)
        entries.append(entry(sample, [sample["photograph"]], False, photographs))
    listing = json.dumps(entries, indent=2, ensure_ascii=False)
    (SAMPLES / "samples.json").write_text(listing + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
