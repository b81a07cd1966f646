"""Homogeneity and the numbers that describe how well a signal separates."""

import numpy as np


def grey(pixels):
    """8-bit grey of RGB `[height, width, 3]`, as the reference's PNG decoder gives it."""
    red, green, blue = (pixels[..., channel].astype(np.int64) for channel in range(3))
    return (9797 * red + 19234 * green + 3737 * blue) >> 15


def homogeneity(pixels):
    """Mean over horizontal neighbours of 1 / (1 + d^2), greys reduced to 32 levels."""
    levels = grey(pixels) // 8
    return float((1 / (1 + np.diff(levels, axis=1).astype(np.float64) ** 2)).mean())


def psnr(first_loss):
    """PSNR in dB of a reconstruction with mean squared error L1 in [-1, 1]."""
    return 10 * np.log10(4 / first_loss)


def auc(belonging, others):
    """The probability that an other image's signal is above a belonging one's."""
    belonging, others = np.asarray(belonging), np.asarray(others)
    above = (others[:, None] > belonging[None, :]).mean()
    level = (others[:, None] == belonging[None, :]).mean()
    return float(above + level / 2)


def quantiles(values):
    """Minimum, 5 %, 25 %, median, 75 %, 95 % and maximum."""
    return np.quantile(values, [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1])
