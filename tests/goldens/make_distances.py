"""Prints the distances that the test in `src/distance.rs` expects, by torchmetrics, which the reference uses.

    python tests/goldens/make_distances.py

The data range is the reference's (`cal_loss_ratio.py`): 2, of values in [0, 1].
"""

import numpy as np
import torch
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

CHANNELS, HEIGHT, WIDTH = 3, 24, 32
DATA_RANGE = 2.0
channel, y, x = np.meshgrid(np.arange(CHANNELS), np.arange(HEIGHT), np.arange(WIDTH), indexing="ij")


def values(bend):
    """In [-1, 1], steps of 1/16, the same in every arithmetic."""
    return torch.tensor((x * 7 + y * 13 + channel * 5 + x * y + x % bend) % 32 / 16 - 1)[None]


a, b = values(1), values(3)
scaled = ((a + 1) / 2, (b + 1) / 2)
print(f"1 - SSIM {1 - structural_similarity_index_measure(*scaled, data_range=DATA_RANGE).item():.12f}")
print(f"PSNR {peak_signal_noise_ratio(*scaled, data_range=DATA_RANGE).item():.12f}")
print(f"mean absolute error {(a - b).abs().mean().item():.12f}")
print(f"mean squared error {((a - b) ** 2).mean().item():.12f}")
