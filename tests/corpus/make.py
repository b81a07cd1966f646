"""Makes the corpus: files as people and attackers bring them, each beside what must come of it.

    pip install pillow==12.0.0 numpy==2.4.6 tifffile==2026.3.3
    apt-get install libjpeg-turbo-progs        # cjpeg, for arithmetic coding and for 12 bits
    python tests/corpus/make.py

Files that a person or a fuzzer added by hand stay: the script writes over its own and removes nothing.
"""

import hashlib
import io
import json
import pathlib
import shutil
import struct
import subprocess
import tempfile
import zipfile
import zlib

import numpy as np
import tifffile
from PIL import Image

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
WIDTH, HEIGHT = 37, 21


def picture(width=WIDTH, height=HEIGHT):
    """Smooth in one channel, busy in another: what a lossy codec treats differently."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x * 6 % 256, y * 11 % 256, (x * y) % 251], axis=-1).astype(np.uint8)


def grey(width=WIDTH, height=HEIGHT):
    return picture(width, height)[..., 2]


def write(path, data):
    path = HERE / path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def good(name, data, rgb=None, near=None, **expected):
    """An image that must be read: `rgb` to the bit, or `near` within so many levels at a few places."""
    write(f"image/good/{name}", data)
    size = rgb if rgb is not None else near[0] if near else None
    if size is not None:
        expected.setdefault("width", size.shape[1])
        expected.setdefault("height", size.shape[0])
    if rgb is not None:
        expected["rgb_sha256"] = hashlib.sha256(np.ascontiguousarray(rgb).tobytes()).hexdigest()
    if near is not None:
        pixels, tolerance = near
        places = [(0, 0), (pixels.shape[1] // 2, pixels.shape[0] // 2), (pixels.shape[1] - 1, pixels.shape[0] - 1)]
        expected["pixels"] = [[int(x), int(y), *map(int, pixels[y, x])] for x, y in places]
        expected["tolerance"] = tolerance
    expected.setdefault("remarks", [])
    write(f"image/good/{name}.json", (json.dumps(expected) + "\n").encode())


def bad(code, name, data):
    write(f"image/bad/{code}/{name}", data)


def saved(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def decoded(data):
    """By Pillow, which decodes JPEG with libjpeg."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def three(plane):
    return np.repeat(plane[..., None], 3, axis=-1)


# PNG ------------------------------------------------------------------------------------------------------------------

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind, data, checksum=None):
    if checksum is None:
        checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def png_header(width, height, depth=8, color=2, interlace=0):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlace))


def png(rows, width, height, depth=8, color=2, before=b"", interlace=0, level=9):
    """Of rows of packed bytes, without a filter."""
    data = zlib.compress(b"".join(b"\0" + row for row in rows), level)
    return SIGNATURE + png_header(width, height, depth, color, interlace) + before + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def pngs():
    rgb = picture()
    plain = saved(Image.fromarray(rgb), "PNG")
    good("rgb.png", plain, rgb, format="PNG")
    good("grey.png", saved(Image.fromarray(grey()), "PNG"), three(grey()), format="PNG")

    # 16 bits: the nearest of 256 levels.
    deep = (rgb.astype(np.uint16) * 257 + np.arange(WIDTH, dtype=np.uint16)[None, :, None] % 97).clip(0, 65535)
    deep = deep.astype(np.uint16)
    reduced = ((deep.astype(np.uint32) + 128) // 257).astype(np.uint8)
    rows = [row.astype(">u2").tobytes() for row in deep]
    good("rgb-16.png", png(rows, WIDTH, HEIGHT, 16, 2), reduced, format="PNG", remarks=["depth_reduced"])
    rows = [row.astype(">u2").tobytes() for row in deep[..., 2]]
    good("grey-16.png", png(rows, WIDTH, HEIGHT, 16, 0), three(reduced[..., 2]), format="PNG", remarks=["depth_reduced"])

    bits = (grey() > 120).astype(np.uint8)
    good("one-bit.png", saved(Image.fromarray(bits * 255).convert("1"), "PNG"), three(bits * 255), format="PNG",
         remarks=["few_colours"])
    palette = Image.fromarray(rgb).quantize(11)
    good("palette-4.png", saved(palette, "PNG", bits=4), np.asarray(palette.convert("RGB")), format="PNG",
         remarks=["few_colours"])
    # Of 8 × 8 pixels, which have no more colours: nothing was lost, which the file does not tell.
    small = Image.fromarray(picture(8, 8))
    reduced = small.quantize(256, dither=Image.Dither.NONE)
    good("palette-small.png", saved(reduced, "PNG"), np.asarray(reduced.convert("RGB")), format="PNG", remarks=["few_colours"])
    good("few-pixels.png", saved(small, "PNG"), picture(8, 8), format="PNG")
    # What pngquant makes, and what comes of that when it is saved again without a palette.
    large = picture(96, 64)
    reduced = Image.fromarray(large).quantize(256)
    colours = np.asarray(reduced.convert("RGB"))
    good("palette-256.png", saved(reduced, "PNG"), colours, format="PNG", remarks=["few_colours"])
    good("former-palette.png", saved(reduced.convert("RGB"), "PNG"), colours, format="PNG", remarks=["few_colours"])
    good("many-colours.png", saved(Image.fromarray(large), "PNG"), large, format="PNG")
    good("many-greys.png", saved(Image.fromarray(three(grey(96, 64))), "PNG"), three(grey(96, 64)), format="PNG")

    alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
    good("alpha-opaque.png", saved(Image.fromarray(np.dstack([rgb, alpha])), "PNG"), rgb, format="PNG")
    alpha[3, 4] = 254
    good("alpha.png", saved(Image.fromarray(np.dstack([rgb, alpha])), "PNG"), rgb, format="PNG", remarks=["transparency_ignored"])
    good("grey-alpha.png", saved(Image.fromarray(np.dstack([grey(), alpha]), "LA"), "PNG"), three(grey()), format="PNG",
         remarks=["transparency_ignored"])
    clear = saved(palette, "PNG", transparency=3)
    # Pillow leaves the colours of what is transparent as they are.
    good("palette-transparent.png", clear, np.asarray(palette.convert("RGB")), format="PNG",
         remarks=["few_colours", "transparency_ignored"])

    # Adam7 of eight by eight pixels: seven passes.
    small = picture(8, 8)
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    rows = [small[y, x::dx].tobytes() for x, y0, dx, dy in passes for y in range(y0, 8, dy)]
    good("interlaced.png", png(rows, 8, 8, interlace=1), small, format="PNG")

    frames = [Image.fromarray(rgb), Image.fromarray(255 - rgb)]
    good("animated.png", saved(frames[0], "PNG", save_all=True, append_images=frames[1:]), rgb, format="PNG",
         remarks=["first_picture"])

    # Texts that expand to more than is read: they are passed over, the image is read.
    bomb = zlib.compress(bytes(6 << 20), 9)
    texts = chunk(b"zTXt", b"parameters\0\0" + bomb) + chunk(b"iTXt", b"prompt\0\x01\0\0\0" + bomb)
    rows = [row.tobytes() for row in rgb]
    good("text-bombs.png", png(rows, WIDTH, HEIGHT, before=texts), rgb, format="PNG")
    good("profile-bomb.png", png(rows, WIDTH, HEIGHT, before=chunk(b"iCCP", b"profile\0\0" + bomb)), rgb, format="PNG")
    good("wrong-extension.jpg", plain, rgb, format="PNG")
    good("text-behind.png", plain + b"PK\x03\x04<script>alert(1)</script>", rgb, format="PNG")

    broken = bytearray(plain)
    broken[plain.index(b"IDAT") + 9] ^= 0x55
    bad("image_truncated", "checksum.png", bytes(broken))
    bad("image_truncated", "no-pixels.png", SIGNATURE + png_header(8, 8) + chunk(b"IEND", b""))
    bad("image_truncated", "signature.png", SIGNATURE)
    bad("image_truncated", "header-length.png", SIGNATURE + struct.pack(">I", 0xFFFFFFFF) + b"IHDR" + bytes(13))
    bad("image_truncated", "colour-and-depth.png", SIGNATURE + png_header(8, 8, 3, 5) + chunk(b"IDAT", zlib.compress(bytes(64))))
    bad("image_truncated", "no-palette.png", png([bytes(8)] * 8, 8, 8, 8, 3))
    for width, height in [(0, 8), (8, 0)]:
        bad("image_truncated", f"{width}x{height}.png", png([bytes(24)] * 8, width, height))
    giants = {"longest": (2**31 - 1, 2**31 - 1), "wide": (2**31 - 1, 1), "area": (16384, 16384)}
    for name, (width, height) in giants.items():
        bad("image_too_large", f"{name}.png", png([bytes(24)] * 8, width, height))
    for part in (9, 20, 33, 45, 60, len(plain) // 2):
        bad("image_truncated", f"cut-{part:03}.png", plain[:part])


# JPEG -----------------------------------------------------------------------------------------------------------------

def cjpeg(rgb, *options):
    if not shutil.which("cjpeg"):
        raise SystemExit("cjpeg is missing: see the top of this file")
    with tempfile.NamedTemporaryFile(suffix=".ppm") as file:
        Image.fromarray(rgb).save(file.name)
        return subprocess.run(["cjpeg", *options, file.name], check=True, capture_output=True).stdout


def jpegs():
    rgb = picture()
    image = Image.fromarray(rgb)
    plain = saved(image, "JPEG", quality=90)
    good("rgb.jpg", plain, decoded(plain), format="JPEG", remarks=["jpeg"])
    for name, options in {
        "progressive": {"progressive": True},
        "full-chroma": {"subsampling": "4:4:4"},
        "half-chroma": {"subsampling": "4:2:2"},
        "quarter-chroma": {"subsampling": "4:1:1"},
        "restarts": {"restart_marker_blocks": 2},
        "quality-1": {"quality": 1},
        "quality-100": {"quality": 100},
    }.items():
        data = saved(image, "JPEG", **{"quality": 85, **options})
        good(f"{name}.jpg", data, decoded(data), format="JPEG", remarks=["jpeg"])
    data = saved(Image.fromarray(grey()), "JPEG", quality=85)
    good("grey.jpg", data, decoded(data), format="JPEG", remarks=["jpeg"])
    for side in (1, 7, 9, 17):
        data = saved(Image.fromarray(picture(side, side)), "JPEG", quality=85)
        good(f"side-{side:02}.jpg", data, decoded(data), format="JPEG", remarks=["jpeg"])
    data = cjpeg(rgb, "-rgb", "-quality", "90")
    good("stored-rgb.jpg", data, near=(decoded(data), 3), format="JPEG", remarks=["jpeg"])

    inks = image.convert("CMYK")
    data = saved(inks, "JPEG", quality=95)
    good("cmyk.jpg", data, near=(decoded(data), 8), format="JPEG", remarks=["inks_converted", "jpeg"])
    # Adobe's marker says how the inks are stored: 2 stands for luma, chroma and black.
    marker = data.index(b"Adobe")
    data = data[:marker + 11] + b"\2" + data[marker + 12:]
    good("ycck.jpg", data, near=(decoded(data), 8), format="JPEG", remarks=["inks_converted", "jpeg"])

    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(image, "JPEG", quality=90, exif=exif)
    good("turned.jpg", data, decoded(data), format="JPEG", remarks=["jpeg", "orientation_ignored"])

    arithmetic = cjpeg(rgb, "-arithmetic", "-quality", "85")
    bad("unsupported_image", "arithmetic.jpg", arithmetic)
    # An older cjpeg knows eight bits alone: its header is made to claim twelve.
    header = plain.index(b"\xff\xc0") + 4
    bad("unsupported_image", "12-bit.jpg", plain[:header - 3] + b"\xc1" + plain[header - 2:header] + b"\x0c" + plain[header + 1:])
    lossless = plain[:header - 3] + b"\xc3" + plain[header - 2:]
    bad("unsupported_image", "lossless.jpg", lossless)
    for name, size in {"0x8": (8, 0), "8x0": (0, 8)}.items():
        bad("image_truncated", f"{name}.jpg", plain[:header + 1] + struct.pack(">HH", *size) + plain[header + 5:])
    bad("image_too_large", "65535.jpg", plain[:header + 1] + struct.pack(">HH", 65535, 65535) + plain[header + 5:])
    bad("image_truncated", "magic.jpg", b"\xff\xd8\xff")
    bad("image_truncated", "segment-length-0.jpg", b"\xff\xd8\xff\xe0\0\0" + plain[2:])
    for part in (4, 20, 100, 300, len(plain) * 2 // 3):
        bad("image_truncated", f"cut-{part:03}.jpg", plain[:part])
    good("text-behind.jpg", plain + b"PK\x03\x04", decoded(plain), format="JPEG", remarks=["jpeg"])


# WebP and GIF ---------------------------------------------------------------------------------------------------------

def webps():
    rgb = picture()
    image = Image.fromarray(rgb)
    lossless = saved(image, "WEBP", lossless=True)
    good("lossless.webp", lossless, rgb, format="WebP")
    lossy = saved(image, "WEBP", quality=80)
    good("lossy.webp", lossy, near=(decoded(lossy), 12), format="WebP", remarks=["lossy"])
    alpha = np.full((HEIGHT, WIDTH), 200, np.uint8)
    clear = Image.fromarray(np.dstack([rgb, alpha]))
    good("lossless-alpha.webp", saved(clear, "WEBP", lossless=True, exact=True), rgb, format="WebP", remarks=["transparency_ignored"])
    data = saved(clear, "WEBP", quality=80)
    good("lossy-alpha.webp", data, near=(decoded(data), 12), format="WebP", remarks=["lossy", "transparency_ignored"])
    frames = [image, Image.fromarray(255 - rgb)]
    data = saved(image, "WEBP", save_all=True, append_images=frames[1:], lossless=True, duration=90)
    good("animated.webp", data, rgb, format="WebP", remarks=["first_picture"])

    def vp8l(width, height):
        bits = (width - 1) | (height - 1) << 14
        return b"\x2f" + struct.pack("<I", bits)

    def riff(*chunks):
        body = b"WEBP" + b"".join(kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in chunks)
        return b"RIFF" + struct.pack("<I", len(body)) + body

    bad("unsupported_image", "16384.webp", riff((b"VP8L", vp8l(16384, 16384) + bytes(8))))
    extended = struct.pack("<I", 0) + struct.pack("<I", 2**24 - 1)[:3] * 2
    bad("image_truncated", "canvas.webp", riff((b"VP8X", extended), (b"VP8L", vp8l(8, 8) + bytes(8))))
    bad("image_truncated", "no-chunk.webp", riff())
    bad("image_truncated", "magic.webp", b"RIFF\0\0\0\0WEBP")
    for part in (13, 25, 40, len(lossless) // 2):
        bad("image_truncated", f"lossless-cut-{part:03}.webp", lossless[:part])
    for part in (27, 60, len(lossy) // 2):
        bad("image_truncated", f"lossy-cut-{part:03}.webp", lossy[:part])


def gifs():
    palette = Image.fromarray(picture()).quantize(16)
    rgb = np.asarray(palette.convert("RGB"))
    plain = saved(palette, "GIF")
    good("plain.gif", plain, rgb, format="GIF", remarks=["few_colours"])
    good("interlaced.gif", saved(palette, "GIF", interlace=True), rgb, format="GIF", remarks=["few_colours"])
    clear = saved(palette, "GIF", transparency=int(np.asarray(palette)[0, 0]))
    good("transparent.gif", clear, format="GIF", width=WIDTH, height=HEIGHT, remarks=["few_colours", "transparency_ignored"])
    other = Image.fromarray(np.asarray(palette)[::-1].copy(), "P")
    other.putpalette(palette.getpalette())
    good("animated.gif", saved(palette, "GIF", save_all=True, append_images=[other]), rgb, format="GIF",
         remarks=["first_picture", "few_colours"])

    screen = lambda width, height: b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    frame = lambda width, height: b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\2\1\x44\0;"
    bad("image_too_large", "65535.gif", screen(65535, 65535) + frame(65535, 65535))
    bad("image_too_small", "0x0.gif", screen(0, 0) + frame(0, 0))
    bad("image_truncated", "no-frame.gif", screen(8, 8) + b";")
    bad("image_truncated", "magic.gif", b"GIF89a")
    for part in (8, 14, 61, 75, len(plain) // 2):
        bad("image_truncated", f"cut-{part:03}.gif", plain[:part])


# BMP ------------------------------------------------------------------------------------------------------------------

def bmp(width, height, depth, data, compression=0, extra=b"", colours=0):
    offset = 14 + 40 + len(extra)
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, depth, compression, len(data), 0, 0, colours, 0)
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + header + extra + data


def bmps():
    rgb = picture()
    plain = saved(Image.fromarray(rgb), "BMP")
    good("rgb.bmp", plain, rgb, format="BMP")
    # Greys stand in a palette, of which the format knows no other form.
    good("palette.bmp", saved(Image.fromarray(grey()), "BMP"), three(grey()), format="BMP", remarks=["few_colours"])
    bits = (grey() > 120).astype(np.uint8) * 255
    good("one-bit.bmp", saved(Image.fromarray(bits).convert("1"), "BMP"), three(bits), format="BMP", remarks=["few_colours"])
    padded = lambda row: row + bytes(-len(row) % 4)
    rows = [padded(row[:, ::-1].tobytes()) for row in rgb]
    good("top-down.bmp", bmp(WIDTH, -HEIGHT, 24, b"".join(rows)), rgb, format="BMP")
    # 5 bits a channel, widened by repeating the upper ones, as `image` does; Pillow scales.
    small = (rgb >> 3).astype(np.uint16)
    packed = small[..., 0] << 10 | small[..., 1] << 5 | small[..., 2]
    rows = [padded(row.astype("<u2").tobytes()) for row in packed[::-1]]
    wide = (small << 3 | small >> 2).astype(np.uint8)
    good("16-bit.bmp", bmp(WIDTH, HEIGHT, 16, b"".join(rows)), near=(wide, 1), format="BMP", remarks=["few_colours"])
    # Run lengths: each row of runs of one colour, an end of line, an end of the picture.
    colours = b"".join(bytes([level, level, level, 0]) for level in range(0, 256, 16))
    levels = np.repeat(np.arange(8, dtype=np.uint8)[:, None], 16, axis=1)
    runs = b"".join(bytes([16, row[0]]) + b"\0\0" for row in levels[::-1]) + b"\0\1"
    good("run-length.bmp", bmp(16, 8, 8, runs, 1, colours, 16), three(levels * 16), format="BMP",
         remarks=["few_colours"])
    masks = struct.pack("<III", 0xFF0000, 0xFF00, 0xFF)
    rows = [np.hstack([row[:, ::-1], np.zeros((WIDTH, 1), np.uint8)]).tobytes() for row in rgb[::-1]]
    good("masks.bmp", bmp(WIDTH, HEIGHT, 32, b"".join(rows), 3, masks), rgb, format="BMP")
    jpeg = saved(Image.fromarray(rgb), "JPEG", quality=90)
    bad("unsupported_image", "jpeg.bmp", bmp(WIDTH, HEIGHT, 0, jpeg, 4))

    bad("image_truncated", "magic.bmp", b"BM")
    bad("image_truncated", "run-past-the-end.bmp", bmp(16, 8, 8, bytes([255, 1]) * 9, 1, colours, 16)[:80])
    bad("image_too_large", "giant.bmp", bmp(65535, 65535, 24, bytes(64)))
    bad("image_too_large", "giant-run-length.bmp", bmp(60000, 60000, 8, runs, 1, colours, 16))
    bad("image_truncated", "lowest-height.bmp", bmp(8, -(2**31), 24, bytes(64)))
    bad("image_truncated", "negative-width.bmp", bmp(-8, 8, 24, bytes(256)))
    bad("unsupported_image", "0x8.bmp", bmp(0, 8, 24, bytes(64)))
    bad("image_truncated", "offset.bmp", plain[:10] + struct.pack("<I", 2**32 - 1) + plain[14:])
    for part in (10, 20, 53, len(plain) // 2):
        bad("image_truncated", f"cut-{part:03}.bmp", plain[:part])


# TIFF -----------------------------------------------------------------------------------------------------------------

def tifffiled(array, **options):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, metadata=None, software=False, **options)
    return buffer.getvalue()


def tiff(entries, behind=b""):
    """Of `(tag, type, values)`, little-endian, values of more than four bytes put behind the directory."""
    letters = {1: "B", 3: "H", 4: "I", 7: "B"}
    start = 8 + 2 + 12 * len(entries) + 4
    directory, data = struct.pack("<H", len(entries)), b""
    for tag, kind, values in sorted(entries):
        packed = struct.pack(f"<{len(values)}{letters[kind]}", *values)
        if len(packed) > 4:
            packed, data = struct.pack("<I", start + len(data)), data + packed
        directory += struct.pack("<HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    return b"II*\0" + struct.pack("<I", 8) + directory + bytes(4) + data + behind


def tiff_grey(width, height, strip, compression=1, rows=None):
    entries = [(256, 4, [width]), (257, 4, [height]), (258, 3, [8]), (259, 3, [compression]), (262, 3, [1]),
               (277, 3, [1]), (278, 4, [rows or height]), (279, 4, [len(strip)])]
    offset = 8 + 2 + 12 * (len(entries) + 1) + 4
    return tiff([*entries, (273, 4, [offset])], strip)


def jpeg_tiff(streams, photometric, rows=None, tile=None, tables=b"", subsampling=None, size=(WIDTH, HEIGHT), method=7):
    """Of JPEG streams as strips of so many rows, or as tiles."""
    samples = 1 if photometric == 1 else 3
    entries = [(256, 4, [size[0]]), (257, 4, [size[1]]), (258, 3, [8] * samples), (259, 3, [method]), (262, 3, [photometric]),
               (277, 3, [samples])]
    entries += [(322, 3, [tile[0]]), (323, 3, [tile[1]])] if tile else [(278, 4, [rows or size[1]])]
    entries += [(347, 7, list(tables))] if tables else []
    entries += [(530, 3, subsampling)] if subsampling else []
    places, lengths = (324, 325) if tile else (273, 279)
    lengths = [(lengths, 4, [len(stream) for stream in streams])]
    first = len(tiff([*entries, *lengths, (places, 4, [0] * len(streams))]))
    offsets = [first + sum(map(len, streams[:index])) for index in range(len(streams))]
    return tiff([*entries, *lengths, (places, 4, offsets)], b"".join(streams))


def apart(stream):
    """A JPEG's tables and all else, each as a stream: the abbreviated formats."""
    tables, rest, at = b"", b"", 2
    while stream[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(stream[at + 2:at + 4])
        if stream[at + 1] in (0xDB, 0xC4):
            tables += stream[at:end]
        elif stream[at + 1] != 0xE0:
            rest += stream[at:end]
        at = end
    return b"\xff\xd8" + tables + b"\xff\xd9", b"\xff\xd8" + rest + stream[at:]


def jpeg_tiffs():
    rgb = picture()
    image = Image.fromarray(rgb)
    remarks = ["jpeg"]
    # By libtiff: RGB, grey and YCbCr, the tables apart.
    for name, source, options in [
        ("jpeg-rgb", image, {}),
        ("jpeg-rgb-strips", image, {"tiffinfo": {278: 8}}),
        ("jpeg-grey", Image.fromarray(grey()), {}),
        ("jpeg-ycbcr", image.convert("YCbCr"), {}),
    ]:
        data = saved(source, "TIFF", compression="jpeg", quality=80, **options)
        good(f"{name}.tiff", data, decoded(data), format="TIFF", remarks=remarks)
    # As cameras and scanners write it: chroma at half the resolution, in strips and in tiles.
    strip = lambda top, rows, **options: saved(image.crop((0, top, WIDTH, min(top + rows, HEIGHT))), "JPEG", **options)
    strips = [strip(top, 16, quality=85) for top in range(0, HEIGHT, 16)]
    data = jpeg_tiff(strips, 6, rows=16, subsampling=[2, 2])
    good("jpeg-chroma.tiff", data, decoded(data), format="TIFF", remarks=remarks)
    data = jpeg_tiff([apart(stream)[1] for stream in strips], 6, rows=16, tables=apart(strips[0])[0], subsampling=[2, 2])
    good("jpeg-chroma-tables.tiff", data, decoded(data), format="TIFF", remarks=remarks)
    wide = np.pad(rgb, ((0, 32 - HEIGHT), (0, 64 - WIDTH), (0, 0)), mode="edge")
    tiles = [saved(Image.fromarray(wide[y:y + 16, x:x + 32]), "JPEG", quality=85) for y in (0, 16) for x in (0, 32)]
    data = jpeg_tiff(tiles, 6, tile=(32, 16), subsampling=[2, 2])
    good("jpeg-tiles.tiff", data, decoded(data), format="TIFF", remarks=remarks)
    whole = strip(0, HEIGHT, quality=85)
    progressive = strip(0, HEIGHT, quality=85, progressive=True)
    data = jpeg_tiff([progressive], 6, subsampling=[2, 2])
    good("jpeg-progressive.tiff", data, decoded(data), format="TIFF", remarks=remarks)
    inks = saved(image.convert("CMYK"), "TIFF", compression="jpeg", quality=95)
    good("jpeg-cmyk.tiff", inks, near=(decoded(inks), 8), format="TIFF", remarks=["inks_converted", "jpeg"])

    bad("image_truncated", "jpeg-other-colours.tiff", jpeg_tiff([saved(Image.fromarray(grey()), "JPEG")], 6))
    bad("image_truncated", "jpeg-other-size.tiff", jpeg_tiff([strip(0, 16)], 6, subsampling=[2, 2]))
    bad("image_truncated", "jpeg-cut.tiff", jpeg_tiff([whole], 6, subsampling=[2, 2])[:-200])
    bad("image_truncated", "jpeg-no-tables.tiff", jpeg_tiff([apart(whole)[1]], 6, subsampling=[2, 2]))
    bad("image_too_large", "jpeg-giant.tiff", jpeg_tiff([whole], 6, size=(40000, 40000)))
    # A tile that reaches far beyond the image's edges.
    header = whole.index(b"\xff\xc0") + 5
    giant = whole[:header] + struct.pack(">HH", 65488, 65488) + whole[header + 4:]
    bad("image_truncated", "jpeg-giant-tile.tiff", jpeg_tiff([giant], 6, tile=(65488, 65488), subsampling=[2, 2], size=(8, 8)))
    # Each of many strips is all of the file, or begins with long tables.
    row = strip(0, 1)
    many = jpeg_tiff([row] * HEIGHT, 6, rows=1, subsampling=[2, 2])
    places = many.index(struct.pack("<II", len(row), len(row)))
    bad("image_truncated", "jpeg-overlapping.tiff",
        many[:places] + struct.pack("<I", len(many) // 2) * HEIGHT + many[places + 4 * HEIGHT:])
    comment = b"\xff\xd8" + b"\xff\xfe\x20\x00" + bytes(0x1FFE) + b"\xff\xd9"
    bad("unsupported_image", "jpeg-long-tables.tiff", jpeg_tiff([whole], 6, tables=comment, subsampling=[2, 2]))
    bad("unsupported_image", "jpeg-old.tiff", jpeg_tiff([whole], 6, subsampling=[2, 2], method=6))
    bad("unsupported_image", "jpeg-arithmetic.tiff", jpeg_tiff([cjpeg(rgb, "-arithmetic")], 6, subsampling=[2, 2]))
    bad("unsupported_image", "jpeg-xl.tiff", jpeg_tiff([whole], 2, method=50002))
    bad("unsupported_image", "webp.tiff", jpeg_tiff([saved(image, "WEBP", quality=80)], 2, method=50001))
    bad("unsupported_image", "palette.tiff", saved(image.quantize(16), "TIFF"))


def tiffs():
    rgb = picture()
    image = Image.fromarray(rgb)
    plain = saved(image, "TIFF")
    good("rgb.tiff", plain, rgb, format="TIFF")
    good("lzw.tiff", saved(image, "TIFF", compression="tiff_lzw"), rgb, format="TIFF")
    good("deflate.tiff", saved(image, "TIFF", compression="tiff_adobe_deflate"), rgb, format="TIFF")
    good("packbits.tiff", saved(image, "TIFF", compression="packbits"), rgb, format="TIFF")
    good("grey.tiff", saved(Image.fromarray(grey()), "TIFF"), three(grey()), format="TIFF")
    good("tiles.tiff", tifffiled(rgb, tile=(16, 16), photometric="rgb"), rgb, format="TIFF")
    good("big-endian.tiff", tifffiled(rgb, byteorder=">", photometric="rgb"), rgb, format="TIFF")
    deep = rgb.astype(np.uint16) * 257
    good("rgb-16.tiff", tifffiled(deep, photometric="rgb"), rgb, format="TIFF", remarks=["depth_reduced"])
    good("float.tiff", tifffiled(rgb.astype(np.float32) / 255, photometric="rgb"), near=(rgb, 1), format="TIFF",
         remarks=["depth_reduced"])
    good("pages.tiff", saved(image, "TIFF", save_all=True, append_images=[Image.fromarray(255 - rgb)]), rgb,
         format="TIFF", remarks=["first_picture"])
    alpha = np.full((HEIGHT, WIDTH), 100, np.uint8)
    good("alpha.tiff", tifffiled(np.dstack([rgb, alpha]), photometric="rgb", extrasamples=["unassalpha"]), rgb,
         format="TIFF", remarks=["transparency_ignored"])
    inks = image.convert("CMYK")
    good("cmyk.tiff", saved(inks, "TIFF"), near=(np.asarray(inks.convert("RGB")), 2), format="TIFF", remarks=["inks_converted"])
    good("planes.tiff", tifffiled(np.moveaxis(rgb, -1, 0), photometric="rgb", planarconfig="separate"), rgb, format="TIFF")
    exif = Image.Exif()
    exif[0x0112] = 3
    good("turned.tiff", saved(image, "TIFF", exif=exif), rgb, format="TIFF", remarks=["orientation_ignored"])

    bomb = zlib.compress(bytes(16 << 20), 9)
    bad("image_too_large", "giant.tiff", tiff_grey(2**32 - 1, 2**32 - 1, bytes(8)))
    bad("image_too_large", "giant-deflate.tiff", tiff_grey(40000, 40000, bomb, 8))
    bad("image_truncated", "short-strip.tiff", tiff_grey(64, 64, bytes(8)))
    bad("image_truncated", "magic.tiff", b"II*\0")
    bad("image_truncated", "directory-beyond.tiff", b"II*\0" + struct.pack("<I", 2**32 - 16))
    bad("image_truncated", "directory-of-itself.tiff", b"II*\0" + struct.pack("<I", 0))
    bad("image_truncated", "count.tiff", tiff([(256, 4, [8]), (257, 4, [8])])[:14] + struct.pack("<I", 2**32 - 1) + bytes(64))
    bad("image_truncated", "0x0.tiff", tiff_grey(0, 0, bytes(8)))
    for part in (6, 9, 30, 100, len(plain) // 2):
        bad("image_truncated", f"cut-{part:03}.tiff", plain[:part])
    good("more-than-needed.tiff", tiff_grey(64, 64, zlib.compress(bytes(1 << 20), 9), 8), np.zeros((64, 64, 3), np.uint8),
         format="TIFF")


# What is no image, or none that is read -------------------------------------------------------------------------------

def others():
    for name, data in {
        "empty": b"",
        "one-byte.png": b"\x89",
        "text.jpg": b"just some text that is no image\n" * 4,
        "page.png": b"<!doctype html><title>404</title><script>alert(1)</script>",
        "archive.jpg": b"PK\x03\x04" + bytes(64),
        "video.mp4": b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41",
        "zeros.png": bytes(4096),
        "json.png": b'{"format": "aedr-report"}',
    }.items():
        bad("not_an_image", name, data)
    for name, data in {
        "heic.jpg": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64),
        "avif.avif": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(64),
        "jpeg-xl.jxl": b"\xff\x0a" + bytes(64),
        "jpeg-xl-boxes.jxl": b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl \0\0\0\0jxl ",
        "drawing.svg": b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        "document.pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n",
        "icon.ico": b"\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0",
        "photoshop.psd": b"8BPS\0\1" + bytes(64),
    }.items():
        bad("unsupported_image", name, data)


# Documents and weights ------------------------------------------------------------------------------------------------

def changed(document, path, value):
    copy = json.loads(json.dumps(document))
    *way, last = path
    inner = copy
    for key in way:
        inner = inner[key]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return copy


def document(kind, where, name, data):
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    write(f"{kind}/{where}/{name}.json", data)


def manifests():
    manifest = json.loads((ROOT / "weights/aedr-small/manifest.json").read_bytes())
    document("manifest", "good", "small", manifest)
    invalid = {
        "empty": b"", "text": b"hello", "null": b"null", "list": b"[]", "deep": b"[" * 400, "binary": bytes(range(128, 256)),
        "version": changed(manifest, ["format_version"], 2),
        "id-path": changed(manifest, ["id"], "../../etc"),
        "id-long": changed(manifest, ["id"], "a" * 65),
        "id-empty": changed(manifest, ["id"], ""),
        "no-architecture": changed(manifest, ["architecture"], None),
        "family": changed(manifest, ["architecture", "family"], "gan"),
        "no-shards": changed(manifest, ["shards"], []),
        "shard-path": changed(manifest, ["shards", 0, "file"], "../secret"),
        "shard-hidden": changed(manifest, ["shards", 0, "file"], ".htaccess"),
        "shard-bytes": changed(manifest, ["shards", 0, "bytes"], 2**53),
        "shard-negative": changed(manifest, ["shards", 0, "bytes"], -1),
        "shard-expands": changed(manifest, ["shards", 0, "encoding"], {"zlib": 2**63}),
        "f16-change": changed(manifest, ["f16_change"], -1),
    }
    for field, values in {"width": [0, 2**60, 1e30], "latent_channels": [0, 2**60], "encoder_blocks": [[], [1] * 99, [2**60]]}.items():
        for index, value in enumerate(values):
            if field in manifest["architecture"]:
                invalid[f"{field}-{index}"] = changed(manifest, ["architecture", field], value)
    for name, data in invalid.items():
        document("manifest", "bad/manifest_invalid", name, data)


def calibrations():
    calibration = json.loads((ROOT / "weights/aedr-small/calibration.json").read_bytes())
    few = lambda sample: {**sample, "signals": sample["signals"][::10]}
    fewer = lambda condition: {**condition, "belonging": few(condition["belonging"]), "others": few(condition["others"])}
    calibration["conditions"] = [fewer(condition) for condition in calibration["conditions"]]
    document("calibration", "good", "small", calibration)
    plain = next(c for c in calibration["conditions"] if (c["compression"], c["search"]) == ("lossless", "none"))
    plain = {**calibration, "conditions": [plain]}
    condition = ["conditions", 0]
    written = [*condition, "belonging"]
    invalid = {
        "empty": b"", "version": changed(plain, ["format_version"], 99),
        "alpha": changed(plain, [*condition, "alpha"], 1.5),
        "threshold": changed(plain, [*condition, "threshold"], -1),
        "threshold-endless": json.dumps(plain).replace(json.dumps(plain["conditions"][0]["threshold"]), "1e999").encode(),
        "signal-huge": changed(plain, [*written, "signals"], [1e308]),
        "signal-zero": changed(plain, [*written, "signals"], [0.0, 1.0]),
        "signals-unsorted": changed(plain, [*written, "signals"], [2.0, 1.0]),
        "signals-none": changed(plain, [*written, "signals"], []),
        "signals-many": changed(plain, [*written], {"count": 2000, "signals": [1.0] * 1001}),
        "count": changed(plain, [*written, "count"], 1),
        "quality": changed(calibration, [*condition, "compression"], {"jpeg": 101}),
        "lossy": changed(calibration, [*condition, "compression"], "lossy"),
        "search": changed(plain, [*condition, "search"], "sideways"),
        "twice": {**plain, "conditions": plain["conditions"] * 2},
        "not-as-written": changed(plain, [*condition, "search"], "resized"),
        "conditions-none": changed(plain, ["conditions"], []),
        "signal-kind": changed(plain, ["signal"], "first_loss"),
        "more": {**plain, "more": 1},
    }
    for name, data in invalid.items():
        document("calibration", "bad/manifest_invalid", name, data)


def configurations():
    config = json.loads((ROOT / "tests/goldens/kl_quant/config.json").read_bytes())
    document("configuration", "good", "kl", config)
    for name in ("dc_ae", "qwen_image", "movq", "tiny_taesd"):
        document("configuration", "good", name, json.loads((ROOT / f"tests/goldens/{name}/config.json").read_bytes()))
    for name, data in {
        "class": changed(config, ["_class_name"], "UNet2DConditionModel"),
        "no-class": changed(config, ["_class_name"], None),
        "widths-text": changed(config, ["block_out_channels"], "128"),
        "widths-none": changed(config, ["block_out_channels"], []),
        "widths-huge": changed(config, ["block_out_channels"], [2**62, 2**62]),
        "layers-huge": changed(config, ["layers_per_block"], 2**62),
        "layers-negative": changed(config, ["layers_per_block"], -3),
        "groups-zero": changed(config, ["norm_num_groups"], 0),
    }.items():
        document("configuration", "bad/manifest_invalid", name, data)


def safetensors(tensors, metadata=None):
    header, data = {}, b""
    for name, (dtype, shape, values) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    if metadata:
        header["__metadata__"] = metadata
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def published():
    """Files that are imported as they arrive: a TAESD of width 1, and broken ones."""
    golden = (ROOT / "tests/goldens/tiny_taesd/model.safetensors").read_bytes()
    names = json.loads(golden[8:8 + struct.unpack("<Q", golden[:8])[0]])
    names.pop("__metadata__", None)
    # The golden's names, its width of 12 made 1.
    narrow = {name: [1 if side == 12 else side for side in tensor["shape"]] for name, tensor in names.items()}
    values = lambda shape: (np.arange(int(np.prod(shape))) / 64).astype("<f2").tobytes()
    source = safetensors({name: ("F16", shape, values(shape)) for name, shape in narrow.items()})
    length = struct.unpack("<Q", source[:8])[0]
    write("import/good/tiny.safetensors", source)
    place = lambda code, name, data: write(f"import/bad/{code}/{name}.safetensors", data)
    place("weights_corrupt", "empty", b"")
    place("weights_corrupt", "header-cut", source[:length // 2])
    place("weights_corrupt", "header-alone", source[:8 + length])
    place("weights_corrupt", "data-cut", source[:8 + length + 700])
    place("weights_corrupt", "header-empty", struct.pack("<Q", 1) + b"{" + bytes(9))
    place("weights_corrupt", "header-nested", struct.pack("<Q", 1000) + b'{"a":' * 200)
    place("weights_foreign", "header-endless", struct.pack("<Q", 2**64 - 1) + b"{")
    place("weights_foreign", "header-long", struct.pack("<Q", 17 << 20) + b"{")
    place("weights_foreign", "no-tensors", struct.pack("<Q", 2) + b"{}")
    place("weights_foreign", "page", b"<!doctype html><title>Sign in</title>")
    place("weights_foreign", "zeros", bytes(64))
    place("weights_foreign", "lora", safetensors({"lora_unet.lora_up.weight": ("F16", [1], b"\0\0")}))
    offsets = lambda start, end: f'{{"a":{{"dtype":"F32","shape":[1],"data_offsets":[{start},{end}]}}}}'.encode()
    for name, (start, end) in {"backwards": (4, 0), "far": (2**63, 2**63 + 4), "overlong": (0, 2**64 - 1), "hole": (8, 12)}.items():
        text = offsets(start, end)
        place("weights_corrupt", f"offsets-{name}", struct.pack("<Q", len(text)) + text + bytes(4))
    text = b'{"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,0]}}'
    place("weights_corrupt", "shape-overflows", struct.pack("<Q", len(text)) + text)
    # Names that are divided in three, of a tensor without dimensions.
    place("weights_foreign", "scalar-in-three", safetensors({"encoder.mid.attn.to_qkv.weight": ("F32", [], bytes(4))}))
    place("weights_foreign", "five-dimensions", safetensors({"encoder.conv_in.weight": ("F32", [1, 3, 0, 0, 0], b"")}))


def shards():
    """Shards of a manifest of their own beside them, whose hashes are right: what is wrong is within."""
    floats = np.arange(12, dtype="<f4").tobytes()
    within = {
        "good/plain": {"weight": ("F32", [12], floats)},
        "good/blocks": {"weight": ("I8", [2, 3], bytes(6)), "weight.scale": ("F16", [2, 1], bytes(4)),
                        "weight.low": ("U8", [2, 1], bytes(2))},
        "bad/weights_corrupt/no-scale": {"weight": ("I8", [2, 3], bytes(6))},
        "bad/weights_corrupt/few-scales": {"weight": ("I8", [2, 3], bytes(6)), "weight.scale": ("F16", [1], bytes(2))},
        "bad/weights_corrupt/low-shape": {"weight": ("I8", [2, 3], bytes(6)), "weight.scale": ("F16", [2, 1], bytes(4)),
                                          "weight.low": ("U8", [9, 1], bytes(9))},
        "bad/weights_corrupt/low-type": {"weight": ("I8", [2, 3], bytes(6)), "weight.scale": ("F16", [2, 1], bytes(4)),
                                         "weight.low": ("I8", [2, 1], bytes(2))},
        "bad/weights_corrupt/integers": {"weight": ("I64", [1], bytes(8))},
        "bad/weights_corrupt/infinite": {"weight": ("F32", [1], struct.pack("<f", float("inf")))},
        "bad/weights_corrupt/not-a-number": {"weight": ("F16", [1], b"\xff\xff")},
        "bad/weights_corrupt/scale-infinite": {"weight": ("I8", [1, 1], b"\1"), "weight.scale": ("F16", [1, 1], b"\0\x7c")},
        "bad/weights_corrupt/empty-rows": {"weight": ("I8", [2**40, 0], b""), "weight.scale": ("F16", [1], bytes(2))},
    }
    for name, tensors in within.items():
        write(f"shard/{name}.safetensors", safetensors(tensors))
    write("shard/bad/weights_corrupt/empty.safetensors", b"")
    write("shard/bad/weights_corrupt/zlib-of-nothing.zlib", zlib.compress(b""))
    plain = safetensors(within["good/plain"])
    packed = zlib.compress(plain, 9)
    # The last eight bytes of a `.zlib` here tell what its manifest says that it expands to.
    claims = lambda data, size: data + struct.pack("<Q", size)
    write("shard/good/packed.zlib", claims(packed, len(plain)))
    write("shard/bad/weights_corrupt/zlib-of-nothing.zlib", claims(zlib.compress(b""), 0))
    write("shard/bad/weights_corrupt/zlib-short.zlib", claims(packed, len(plain) + 1))
    write("shard/bad/weights_corrupt/zlib-long.zlib", claims(packed, len(plain) - 1))
    write("shard/bad/weights_corrupt/zlib-cut.zlib", claims(packed[:20], len(plain)))
    write("shard/bad/weights_corrupt/zlib-none.zlib", claims(bytes(20), len(plain)))
    write("shard/bad/weights_corrupt/zlib-bomb.zlib", claims(zlib.compress(bytes(8 << 20), 9), 1000))


def state_dict(shape, storage):
    """As `torch.save` writes `{"weight": …}`: a pickle that calls for storages by name, in an archive."""
    number = lambda value: b"\x8a\x09" + struct.pack("<Q", value) + b"\0"
    text = lambda value: b"X" + struct.pack("<I", len(value)) + value
    several = lambda values: b"(" + b"".join(map(number, values)) + b"t"
    stored = b"(" + text(b"storage") + b"ctorch\nFloatStorage\n" + text(b"0") + text(b"cpu") + number(storage) + b"tQ"
    tensor = (b"ctorch._utils\n_rebuild_tensor_v2\n(" + stored + number(0) + several(shape) + several([shape[1], 1])
              + b"\x89" + b"ccollections\nOrderedDict\n)R" + b"tR")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        entry = lambda name: zipfile.ZipInfo(f"archive/{name}")
        file.writestr(entry("data.pkl"), b"\x80\x02}(" + text(b"weight") + tensor + b"u.")
        file.writestr(entry("byteorder"), b"little")
        file.writestr(entry("data/0"), np.arange(6, dtype="<f4").tobytes())
        file.writestr(entry("version"), b"3\n")
    return archive.getvalue()


def pytorch():
    whole = state_dict([2, 3], 6)
    place = lambda name, data: write(f"pytorch/bad/weights_corrupt/{name}.pth", data)
    write("pytorch/bad/weights_foreign/one-tensor.pth", whole)
    place("shape-beyond-storage", state_dict([2, 3000], 6))
    place("shape-overflows", state_dict([2**62, 2**62], 6))
    place("storage-overflows", state_dict([2, 3], 2**62))
    place("empty", b"")
    place("archive-head", b"PK\x03\x04")
    place("pickle-head", b"\x80\x02")
    place("half", whole[:len(whole) // 2])
    place("text", b"import os\n")
    # A pickle that would run a program, if it were run.
    place("calls", b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.")
    place("memo", b"\x80\x02h\xff.")
    place("nested", b"\x80\x02" + b"(" * 500 + b".")
    place("long", b"\x80\x02\x8a\xff" + bytes(8))
    place("string-length", b"\x80\x02X\xff\xff\xff\xff.")


def reports():
    path = HERE / "report/good/check.json"
    if not path.exists():
        raise SystemExit("report/good/check.json is made by the program: `aedr check IMAGE --json FILE`")
    report = json.loads(path.read_bytes())
    check = report["checks"][0]
    place = lambda name, data: document("report", "bad/manifest_invalid", name, data)
    place("empty", b"")
    place("text", b"hello")
    place("list", b"[]")
    place("deep", b'{"format":' * 200)
    place("version", changed(report, ["format_version"], 2))
    place("version-text", changed(report, ["format_version"], "1"))
    place("format", changed(report, ["format"], "other"))
    place("no-image", changed(report, ["image"], None))
    place("bytes-negative", changed(report, ["image", "bytes"], -5))
    place("outcome", changed(report, ["checks", 0, "outcome"], "surely"))
    place("losses-text", changed(report, ["checks", 0, "losses", "first"], "0"))
    place("losses-endless", json.dumps(report).replace(json.dumps(check["losses"]["first"]), "1e999").encode())
    for key in ("width", "checked_width"):
        place(f"{key}-huge", changed(report, ["checks", 0, "image", key], 2**40))
    place("group-beyond", changed(report, ["ranking", "groups", 0, "reports"], [99]))
    place("group-empty", changed(report, ["ranking", "groups", 0, "reports"], []))


if __name__ == "__main__":
    for part in (pngs, jpegs, webps, gifs, bmps, tiffs, jpeg_tiffs, others, manifests, calibrations, configurations, published, shards, pytorch, reports):
        part()
