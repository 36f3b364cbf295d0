"""How weights and activations become eight-bit integers. No images are needed for it.

Batch norm says how each channel is distributed: beta is its mean, gamma its standard deviation
(M. Nagel and others: Data-Free Quantization Through Weight Equalization and Bias Correction. ICCV 2019,
arXiv:1906.04721). The range of an activation follows from that, and the mean error that a rounded kernel causes.
"""

from dataclasses import dataclass

import numpy as np

# A range reaches so many standard deviations from the mean.
DEVIATIONS = 5.5
# Neighbours in a window mostly agree: the share of an activation's variance that they have in common.
WINDOW_SHARE = 0.9
# As TensorFlow with oneDNN reads them: quint8 has 255 steps up to its maximum, qint8 127 on each side of zero.
UNSIGNED_STEPS, SIGNED_STEPS = 255, 127
# Without VNNI, oneDNN adds the products of two neighbouring inputs in 16 bits, up to 32,767: right as long as the
# weights of one sign in such a pair add up to no more than this, since 255 * 128 = 32,640.
PAIR_STEPS = 128


@dataclass(frozen=True)
class Activation:
    """What is known of a tensor from the batch norms before it, an element a channel."""

    mean: np.ndarray
    variance: np.ndarray

    def largest(self):
        """The end of the range that its absolute values stay in."""
        return float((np.abs(self.mean) + DEVIATIONS * np.sqrt(self.variance)).max())

    def plus(self, other):
        """A sum of two; what they have in common is neglected."""
        return Activation(self.mean + other.mean, self.variance + other.variance)


def normalized(state, norm):
    """What batch norm gives."""
    return Activation(state[f"{norm}.bias"].astype(np.float64), state[f"{norm}.weight"].astype(np.float64) ** 2)


def clipped_to_6(activation):
    """What ReLU6 makes of normally distributed channels, by summing over 12 standard deviations in 4,001 steps."""
    z = np.linspace(-6, 6, 4_001)
    density = np.exp(-(z**2) / 2)
    density /= density.sum()
    values = np.clip(activation.mean[:, None] + np.sqrt(activation.variance)[:, None] * z, 0, 6)
    mean = values @ density
    return Activation(mean, np.maximum(values**2 @ density - mean**2, 0))


def quantize(kernel, known: Activation, depthwise):
    """Rounds a kernel to -127 to 127 steps of a scale for each output channel.

    The products of two inputs may be added in 16 bits, see PAIR_STEPS; those of a depthwise kernel are nowhere.

    Returns the steps (int8, the kernel's shape), the scales, and the mean of the error that the outputs have by it,
    given what is known of the input: it is to be taken off the bias.
    """
    if depthwise:
        # [height, width, channels, 1]: an output sees a window of its own channel.
        weights = kernel.reshape(-1, kernel.shape[2])
        own, shared = window_variance(known)
        steps, scale = round_weights(weights, own[None, :], shared[None, :])
        error = (steps * scale - weights).sum(0) * known.mean
    else:
        # [1, 1, in, out]
        weights = kernel[0, 0]
        steps, scale = round_weights(weights, known.variance[:, None], known.mean[:, None], limited_pairs=True)
        error = known.mean @ (steps * scale - weights)
    return steps.reshape(kernel.shape), scale, error


def quantize_window(kernel, known: Activation):
    """The same for a stem, whose inputs [height, width, in, out] are all pixels of one picture, and have no mean.

    oneDNN fills up the channels of each pixel, so that no pair spans two of them.
    """
    height, width, channels, outputs = kernel.shape
    filled = np.zeros((height, width, -(-channels // 2) * 2, outputs))
    filled[:, :, :channels] = kernel
    own, shared = (
        np.pad(np.broadcast_to(part, (height, width, channels)), [(0, 0), (0, 0), (0, filled.shape[2] - channels)])
        for part in window_variance(known)
    )
    steps, scale = round_weights(
        filled.reshape(-1, outputs), own.reshape(-1, 1), shared.reshape(-1, 1), limited_pairs=True
    )
    return steps.reshape(filled.shape)[:, :, :channels], scale


def window_variance(known: Activation):
    """What the elements of a window have by themselves, and what they share."""
    return (1 - WINDOW_SHARE) * known.variance, np.sqrt(known.mean**2 + WINDOW_SHARE * known.variance)


def round_weights(weights, own, shared, limited_pairs=False):
    """Rounds weights [inputs, outputs] so that the expected square error of the outputs is small.

    An input varies by itself with the variance `own`, and in step with all others by `shared`. Rounded to the
    nearest, weights would let their errors of the shared part add up. Instead each takes over its part of what those
    before it have left, as GPTQ does (E. Frantar and others, arXiv:2210.17323); for the expected error
    sum(own * d**2) + sum(shared * d)**2 its step has the closed form below.
    """
    scale = np.maximum(np.abs(weights).max(0), 1e-12) / SIGNED_STEPS
    if limited_pairs:
        scale = np.maximum(scale, largest_pair(weights) / PAIR_STEPS)
    own = np.broadcast_to(own, weights.shape) + 1e-6
    shared = np.broadcast_to(shared, weights.shape)
    pull = shared / own
    # What the inputs from each on can take over.
    capacity = np.flip(np.cumsum(np.flip(shared * pull, 0), 0), 0)
    steps, left = np.zeros(weights.shape, np.int8), np.zeros(weights.shape[1])
    for i, weight in enumerate(weights):
        target = weight - left * pull[i] / (1 + capacity[i])
        partner = steps[i - 1].astype(int) if limited_pairs and i % 2 == 1 else np.zeros_like(left, int)
        least = np.maximum(-SIGNED_STEPS, -PAIR_STEPS - np.minimum(partner, 0))
        most = np.minimum(SIGNED_STEPS, PAIR_STEPS - np.maximum(partner, 0))
        steps[i] = np.clip(np.rint(target / scale), least, most)
        left += shared[i] * (steps[i] * scale - weight)
    return steps, scale


def largest_pair(weights):
    """The most that the weights of one sign in a pair of neighbouring inputs add up to, an element an output."""
    pairs = weights.reshape(-1, 2, weights.shape[1])
    return np.maximum(np.maximum(pairs, 0).sum(1), np.maximum(-pairs, 0).sum(1)).max(0)
