#!/usr/bin/env python3
"""Makes the fonts of the report's picture: parts of Inter and of Noto Sans CJK with the characters that it may show.

    python3 -m venv target/fonts && target/fonts/bin/pip install fonttools==4.68.0
    apt-get install fonts-inter fonts-noto-cjk
    target/fonts/bin/python scripts/report-font.py

Run it again after a catalogue of texts has new Chinese characters; tests/browser/export/exports.test.mjs tells when.
"""

import argparse
import re
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / 'www/fonts'
TEXTS = ROOT / 'www/texts'

# Names of files and models: the alphabets that a Latin grotesque has, as far as they are common.
LATIN = [*range(0x20, 0x7F), *range(0xA0, 0x100)]
NAMES = [*range(0x100, 0x180), *range(0x391, 0x3A2), *range(0x3A3, 0x3CA), *range(0x410, 0x450), 0x401, 0x451]
SYMBOLS = '–—‘’“”„…·•×÷−≈≤≥→←↑↓⁰¹²³⁴⁵⁶⁷⁸⁹⁻₀₁₂₃₄₅₆₇₈₉ατσμ‰€'

# The exports of a catalogue that the picture shows sentences of, and the keys within them that stand in bold type.
SHOWN = ['picture', 'control', 'demonstration', 'evidence', 'lines', 'meanings', 'numbers', 'outcomes', 'plot', 'problems',
         'remarks', 'result', 'samples', 'signals', 'verdicts']
BOLD = ['heading', 'here', 'match', 'meansNotHeading', 'name', 'noThreshold', 'none', 'title', 'unsure']
# What the browser adds to a date and to a list.
ADDED = '年月日和或、'


def catalogue(language: str) -> str:
    file = TEXTS / f'{language}.js'
    return file.read_text(encoding='utf-8') if file.exists() else ''


def exports(source: str, names: list[str]) -> str:
    """What stands in a catalogue from these exports to the next ones."""
    parts = re.split(r'^export const (\w+)', source, flags=re.MULTILINE)
    return ''.join(text for name, text in zip(parts[1::2], parts[2::2]) if name in names)


def values(source: str, keys: list[str]) -> str:
    """The lines of these keys, whose values are short."""
    return ''.join(re.findall(rf'\b(?:{"|".join(keys)}): *(.*)', source))


def beyond_latin(text: str) -> set[int]:
    """Characters that the Latin fonts lack, and the punctuation that Chinese type has of its own width."""
    own = {ord(letter) for letter in '‘’“”…—·'}
    return {ord(letter) for letter in text if ord(letter) > 0x2E7F} | own


def make(source: Path, number: int, characters: set[int], out: str) -> int:
    options = subset.Options()
    options.font_number = number
    options.layout_features = ['kern', 'mark', 'mkmk', 'ccmp', 'locl']
    options.hinting = False
    options.desubroutinize = False
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14, 16, 17]
    options.name_languages = [0x409]
    options.notdef_outline = True
    options.drop_tables += ['DSIG', 'STAT', 'VORG', 'vhea', 'vmtx', 'BASE']
    font = subset.load_font(str(source), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    path = OUT / out
    subset.save_font(font, str(path), options)
    lacking = {code for code in characters if code > 0x2E7F} - set(TTFont(path).getBestCmap())
    if lacking:
        raise SystemExit(f'{source.name} lacks {"".join(map(chr, sorted(lacking)))}')
    return path.stat().st_size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--inter', type=Path, default=Path('/usr/share/fonts/opentype/inter'))
    parser.add_argument('--noto', type=Path, default=Path('/usr/share/fonts/opentype/noto'))
    given = parser.parse_args()
    OUT.mkdir(exist_ok=True)

    symbols = {ord(letter) for letter in SYMBOLS}
    latin = set(LATIN) | symbols
    chinese = catalogue('zh-Hans')
    simplified = 2  # Of the collection's languages.
    headings = set(range(0x20, 0x7F)) | symbols
    sentences = beyond_latin(exports(chinese, SHOWN) + ADDED)
    bold = beyond_latin(values(exports(chinese, SHOWN), BOLD))
    jobs = [
        (given.inter / 'Inter-Regular.otf', -1, latin | set(NAMES), 'Inter-Regular.otf'),
        (given.inter / 'Inter-Bold.otf', -1, latin, 'Inter-Bold.otf'),
        (given.inter / 'InterDisplay-ExtraBold.otf', -1, headings, 'InterDisplay-ExtraBold.otf'),
        (given.noto / 'NotoSansCJK-Regular.ttc', simplified, sentences, 'NotoSansSC-Regular.otf'),
        (given.noto / 'NotoSansCJK-Bold.ttc', simplified, bold, 'NotoSansSC-Bold.otf'),
    ]
    total = 0
    for source, number, characters, out in jobs:
        size = make(source, number, characters, out)
        total += size
        print(f'{out}: {size} bytes')
    print(f'{total} bytes in all')


if __name__ == '__main__':
    main()
