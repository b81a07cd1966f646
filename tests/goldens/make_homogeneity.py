"""Golden of the homogeneity: scikit-image's co-occurrence matrix over small synthetic 8-bit images.

Grey values 0..255 are integer-divided by 8 to 32 levels; distance 1, angle 0 (the right neighbour),
symmetric, normed. scikit-image's "homogeneity" is the sum of P(i, j) / (1 + (i - j)^2).
"""

import numpy as np
from PIL import Image
from skimage.feature import graycomatrix, graycoprops

from golden import HERE, REFERENCE, synthetic_picture, versions, write_json

FOLDER = HERE / "homogeneity"
LEVELS = 32

#: Homogeneity of images 001, 002, 003 in the reference's folders, as published.
PUBLISHED = {
    "SD2base": (0.798279, 0.626816, 0.780933),
    "SDXL": (0.867504, 0.733042, 0.809224),
    "SD3.5": (0.878619, 0.798702, 0.869972),
    "FLUX": (0.870622, 0.829037, 0.851814),
    "KD2.1": (0.800628, 0.800651, 0.782302),
    "VQDM": (0.860475, 0.865022, 0.891138),
    "Real": (0.908418, 0.861745, 0.965980),
}


def grey(image):
    """8-bit grey values: the Y plane of a JPEG, the exact integer weights for a colour PNG."""
    if image.format == "JPEG":
        image.draft("L", image.size)
    values = np.asarray(image)
    if values.ndim == 2:
        return values
    red, green, blue = np.moveaxis(values.astype(np.uint32), 2, 0)
    return ((9797 * red + 19234 * green + 3737 * blue) >> 15).astype(np.uint8)


def homogeneity(path):
    with Image.open(path) as image:
        reduced = grey(image) // (256 // LEVELS)
    matrix = graycomatrix(reduced, distances=[1], angles=[0], levels=LEVELS, symmetric=True, normed=True)
    return float(graycoprops(matrix, "homogeneity")[0, 0])


def check_published():
    for folder, values in PUBLISHED.items():
        for number, published in enumerate(values, start=1):
            (path,) = (REFERENCE / "images" / folder).glob(f"{number:03}.*")
            found = homogeneity(path)
            assert round(found, 6) == published, (path, found, published)
    print(f"published: all {3 * len(PUBLISHED)} values, to 6 decimals")


def bytes_of(picture):
    """A picture [1, 3, height, width] in [-1, 1] as 8-bit values [height, width, 3]."""
    return ((picture[0].numpy() + 1) * 127.5).round().astype(np.uint8).transpose(1, 2, 0)


def images():
    random = np.random.default_rng(8)
    yield "colour", bytes_of(synthetic_picture(21, height=48, width=64))
    yield "colour_noise", random.integers(0, 256, (23, 17, 3), dtype=np.uint8)
    yield "grey", bytes_of(synthetic_picture(22, height=23, width=17))[..., 1]
    yield "one_row", bytes_of(synthetic_picture(23, height=1, width=40))
    yield "two_columns", random.integers(0, 256, (9, 2), dtype=np.uint8)
    yield "constant", np.full((6, 11), 137, dtype=np.uint8)
    # Neighbours one grey value apart: only those on either side of a multiple of 8 differ.
    yield "ramp", np.tile(np.arange(256, dtype=np.uint8), (2, 1))
    # The largest difference there is.
    yield "black_and_white", np.tile(np.array([0, 255], dtype=np.uint8), (4, 8))
    # Nearly grey colours, whose grey is decided by the weights' rounding down.
    nearly_grey = random.integers(0, 32, (12, 25, 1)) * 8 + random.integers(-1, 2, (12, 25, 3))
    yield "nearly_grey", nearly_grey.clip(0, 255).astype(np.uint8)


if __name__ == "__main__":
    if (REFERENCE / "images").is_dir():
        check_published()
    FOLDER.mkdir(exist_ok=True)
    entries = []
    for name, values in images():
        path = FOLDER / f"{name}.png"
        Image.fromarray(values).save(path, optimize=True)
        height, width = values.shape[:2]
        entries.append({"file": path.name, "width": width, "height": height, "homogeneity": homogeneity(path)})
    content = {"images": entries, "versions": versions("scikit-image", "numpy", "pillow")}
    write_json(FOLDER / "homogeneity.json", content)
    print(*(f"{entry['file']}: {entry['homogeneity']:.6f}" for entry in entries), sep="\n")
