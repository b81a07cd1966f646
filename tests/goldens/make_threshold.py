"""Golden of the threshold: the (1 - alpha) quantile of a Gaussian kernel density over signals that belong.

The procedure that gives the published number to the last bit (the reference README's step 3):

1. A signal per line: t = L1 / L2 * H, in f64, evaluated from left to right.
2. `scipy.stats.gaussian_kde(t)` with its default bandwidth: Scott's factor n^(-1/5) times the standard
   deviation with ddof 1.
3. The density on `numpy.linspace(min - s, max + s, 10000)`, both ends included, s the standard deviation
   with ddof 1.
4. The cumulative sum of the density divided by its last value: no trapezoids, no step width, no leading
   zero, so that point k's value includes the density of point k. (Dividing the density by its sum
   before summing moves the result by 5e-15.)
5. `numpy.interp(1 - alpha, cumulative, grid)`: the quantile is the abscissa looked up, the cumulative
   sum is the first of the two tables. Below its first value the answer is the grid's first point.

"Belongs" is t < threshold; equality does not belong.
"""

import numpy as np
from scipy.stats import gaussian_kde

from golden import HERE, REFERENCE, write_json

GRID_POINTS = 10_000
PUBLISHED = REFERENCE / "published"
PUBLISHED_THRESHOLD = 1.0364583773111364


def threshold(values, alpha):
    deviation = np.std(values, ddof=1)
    grid = np.linspace(values.min() - deviation, values.max() + deviation, GRID_POINTS)
    cumulative = np.cumsum(gaussian_kde(values)(grid))
    return float(np.interp(1 - alpha, cumulative / cumulative[-1], grid))


def published_signals(images):
    """Signals of the published `images` under the SD 1.5 autoencoder."""
    first_loss, second_loss = np.loadtxt(PUBLISHED / f"Result_SD1.5_{images}_l2.txt").T
    return first_loss / second_loss * np.loadtxt(PUBLISHED / f"GLCM_{images}.txt")


def check_published():
    belonging, other = published_signals("SD1.5"), published_signals("SD2.1")
    found = threshold(belonging, 0.05)
    assert abs(found - PUBLISHED_THRESHOLD) < 1e-12, found
    accepted, rejected = int((belonging < found).sum()), int((other >= found).sum())
    assert (accepted, rejected) == (477, 492), (accepted, rejected)
    print(f"published: {found!r}, {accepted}/500 accepted, {rejected}/500 rejected")


def samples():
    """Signals as they come (near 1, skewed to the right), and as they might: two modes, ties, an outlier,
    other scales and signs."""
    random = np.random.default_rng(20260)
    yield random.normal(1.0, 0.1, 5), 0.05
    yield random.lognormal(0.0, 0.4, 12), 0.05
    yield 0.8 + random.gamma(1.5, 0.1, 60), 0.05
    yield 0.8 + random.gamma(1.5, 0.1, 60), 0.01
    yield np.concatenate([random.normal(0.9, 0.05, 40), random.normal(2.5, 0.2, 20)]), 0.3
    yield np.append(random.normal(1.0, 0.02, 29), 9.0), 0.05
    yield np.round(random.normal(1.0, 0.1, 80), 1), 0.1
    yield random.normal(-300.0, 40.0, 25), 0.5
    yield random.uniform(0.0, 1e-3, 150), 0.95
    yield random.lognormal(0.1, 0.25, 300), 0.05
    yield random.lognormal(0.1, 0.25, 300), 0.001


if __name__ == "__main__":
    if PUBLISHED.is_dir():
        check_published()
    cases = [
        {"values": values.tolist(), "alpha": alpha, "threshold": threshold(values, alpha)}
        for values, alpha in samples()
    ]
    write_json(HERE / "threshold.json", cases)
    print(f"threshold.json: {len(cases)} cases")
