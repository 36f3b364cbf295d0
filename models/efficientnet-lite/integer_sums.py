"""A convolution whose sums show what a processor does with eight-bit integers.

Its signature, serving_default:

    bytes  uint8    [batch, 1, 1, 64]
    sums   float32  [batch, 2]

With all bytes at 255, both sums are EXPECTED where products are added in 32 bits. Where those of two inputs are added
in 16 bits, only the second is: no pair of its weights adds up to more than PAIR_STEPS.
"""

import numpy as np
from frozen_model import frozen_model
from graph import QUINT8, UINT8
from operations import as_floats, bitcast, mean, reshape
from quantization import PAIR_STEPS, SIGNED_STEPS, UNSIGNED_STEPS
from quantized_convolution import Quantized, convolve

INPUTS = 64
# Each of the two kinds as often as a vector of the processor has places.
OUTPUTS_OF_A_KIND = 16
EXPECTED = 200


def saved_model():
    return frozen_model([1, 1, INPUTS], "bytes", "sums", sums)


def sums(taken):
    pair = np.array([SIGNED_STEPS, PAIR_STEPS - SIGNED_STEPS])
    weights = np.stack([np.full(INPUTS, SIGNED_STEPS), np.tile(pair, INPUTS // 2)], axis=1)
    kernel = np.repeat(weights, OUTPUTS_OF_A_KIND, axis=1)
    scale = EXPECTED / (kernel.sum(0) * UNSIGNED_STEPS)
    x = Quantized(bitcast(taken, QUINT8), 1.0, np.zeros(INPUTS))
    y = convolve(x, kernel[None, None], scale, np.zeros(len(scale)), UNSIGNED_STEPS)
    return mean(reshape(as_floats(bitcast(y.tensor, UINT8)), [None, 2, OUTPUTS_OF_A_KIND]), 2)
