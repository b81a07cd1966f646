"""The control's p-values of images that a model did not make, from what `aedr evaluate` wrote.

    python tests/studies/p_values.py docs/p-values.svg NULL.txt RESULTS.jsonl…

NULL.txt names the foreign images, a file a line. A row is printed for each file of results, and the picture shows the share of
all foreign images with at most each p-value, for each condition: on the diagonal they would be uniform, below it the test is
conservative.
"""

import json
import math
import sys
from collections import defaultdict
from pathlib import Path

LEVELS = (0.05, 0.01, 0.001, 0.0002)
SIZE, MARGIN, LEAST = (720, 420), (70, 24, 20, 56), 1e-4
COLOURS = ("#0a6ebd", "#c2410c", "#15803d", "#7c3aed", "#525252")


def read(path, foreign):
    """(model, edits) and the p-values of foreign images of one file of results."""
    rows = (json.loads(line) for line in Path(path).read_text().splitlines() if line)
    rows = list({row["image"]["path"]: row for row in rows if row["image"]["path"] in foreign}.values())
    series = rows[0]["series"]
    kept = [row["control"]["evidence"]["other_share"] for row in rows]
    parts = sum(any(region["trace"] == "present" for region in row["control"]["regions"]) for row in rows)
    consistent = sum(row["outcome"] == "matches" for row in rows)
    return (series["model"], " ".join(series["edits"])), sorted(kept), parts, consistent


def position(p, share):
    left, top, right, bottom = MARGIN
    width, height = SIZE[0] - left - right, SIZE[1] - top - bottom
    along = lambda value: 1 - math.log(max(value, LEAST)) / math.log(LEAST)  # noqa: E731
    return left + width * along(p), top + height * (1 - along(share))


def picture(lines):
    points = lambda pairs: " ".join(f"{x:.1f},{y:.1f}" for x, y in pairs)  # noqa: E731
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE[0]} {SIZE[1]}" font-family="sans-serif" font-size="13">',
        f'<rect width="{SIZE[0]}" height="{SIZE[1]}" fill="#fff"/>',
    ]
    for power in range(5):
        value = 10.0**-power
        (x, bottom), (_, top) = position(value, LEAST), position(value, 1)
        (left, y), (right, _) = position(LEAST, value), position(1, value)
        label = f"{value:g}"
        parts += [
            f'<path d="M{x:.1f} {bottom:.1f}V{top:.1f}M{left:.1f} {y:.1f}H{right:.1f}" stroke="#e5e5e5"/>',
            f'<text x="{x:.1f}" y="{bottom + 18:.1f}" text-anchor="middle" fill="#333">{label}</text>',
            f'<text x="{left - 8:.1f}" y="{y + 4:.1f}" text-anchor="end" fill="#333">{label}</text>',
        ]
    diagonal = points([position(LEAST, LEAST), position(1, 1)])
    parts.append(f'<polyline points="{diagonal}" fill="none" stroke="#999" stroke-dasharray="5 4"/>')
    for index, (name, values) in enumerate(lines):
        steps = [position(p, (rank + 1) / len(values)) for rank, p in enumerate(values)]
        colour = COLOURS[index % len(COLOURS)]
        parts.append(f'<polyline points="{points(steps)}" fill="none" stroke="{colour}" stroke-width="1.8"/>')
        y = MARGIN[1] + 18 + 18 * index
        parts.append(f'<text x="{MARGIN[0] + 12}" y="{y}" fill="{colour}">{name}, {len(values)} checks</text>')
    middle = (SIZE[0] + MARGIN[0] - MARGIN[2]) / 2
    parts.append(f'<text x="{middle}" y="{SIZE[1] - 12}" text-anchor="middle" fill="#333">p-value of a foreign image</text>')
    parts.append(
        f'<text transform="translate(16 {SIZE[1] / 2}) rotate(-90)" text-anchor="middle" fill="#333">share with at most this</text>'
    )
    return "\n".join([*parts, "</svg>\n"])


def main(output, foreign, *results):
    foreign = set(Path(foreign).read_text().split("\n"))
    conditions = defaultdict(list)
    print(f"{'model':8} {'edits':32} {'images':>6} {'lowest':>8}", *(f"≤ {level:<7g}" for level in LEVELS), "parts  consistent")
    for path in results:
        (model, edits), values, parts, consistent = read(path, foreign)
        conditions[edits] += values
        counts = (sum(value <= level for value in values) for level in LEVELS)
        row = " ".join(f"{count:<9}" for count in counts)
        print(f"{model:8} {edits:32} {len(values):6} {values[0]:8.1e} {row} {parts:5} {consistent:5}")
    everything = sorted(value for values in conditions.values() for value in values)
    counts = " ".join(f"{sum(value <= level for value in everything)} of {level * len(everything):.1f}" for level in LEVELS)
    print(f"all: {len(everything)} checks; at most {LEVELS}: {counts} expected")
    Path(output).write_text(picture([(name, sorted(values)) for name, values in conditions.items()]))


if __name__ == "__main__":
    main(*sys.argv[1:])
