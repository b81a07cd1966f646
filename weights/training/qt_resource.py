"""Reads the files inside a Qt binary resource collection (`.rcc`).

GCompris ships its photographs this way. Layout (big endian): the magic `qres`,
the format version, the offsets of the tree, the data and the names. A tree
entry is 14 bytes, with 8 more for the modification time from version 2 on.
"""

import struct
import zlib

COMPRESSED_ZLIB = 0x01
DIRECTORY = 0x02
COMPRESSED_ZSTD = 0x04


def read_resources(path):
    """Returns {path inside the collection: bytes}."""
    with open(path, "rb") as file:
        blob = file.read()
    magic, version, tree, data, names = struct.unpack_from(">4sIIII", blob)
    if magic != b"qres":
        raise ValueError(f"{path}: not a Qt resource collection")
    entry_size = 14 if version < 2 else 22
    files = {}

    def name_at(offset):
        length = struct.unpack_from(">H", blob, names + offset)[0]
        start = names + offset + 6  # after the length and a 32-bit hash
        return blob[start : start + 2 * length].decode("utf-16-be")

    def walk(index, folder):
        offset = tree + index * entry_size
        name_offset, flags = struct.unpack_from(">IH", blob, offset)
        path_inside = folder + (name_at(name_offset) if index else "")
        if flags & DIRECTORY:
            count, first = struct.unpack_from(">II", blob, offset + 6)
            for child in range(first, first + count):
                walk(child, path_inside + "/" if path_inside else "")
            return
        start = data + struct.unpack_from(">I", blob, offset + 10)[0]
        size = struct.unpack_from(">I", blob, start)[0]
        content = blob[start + 4 : start + 4 + size]
        if flags & COMPRESSED_ZSTD:
            return  # only text and drawings are worth compressing again
        if flags & COMPRESSED_ZLIB:
            content = zlib.decompress(content[4:])
        files[path_inside] = content

    walk(0, "")
    return files
