"""The EfficientNet-Lite networks in eight-bit integers, from the pixels to the last layer but one.

Between the convolutions there is nothing: each gives the bytes that the next one takes. The activations are unsigned,
so that nothing has to be compensated for; where values can be negative, each channel is moved up, and the bias of what
comes next takes that back. The sums of the residual connections are made by the convolution that ends a block.
"""

from dataclasses import dataclass

import numpy as np
from graph import QUINT8, UINT8
from network import MEAN, SCALE, blocks, expands, fold_batch_norm, is_depthwise, probabilities
from operations import (
    as_floats,
    batch_size,
    bitcast,
    concatenate,
    ensure_shape,
    filled,
    mean,
    multiply_by_number,
)
from quantization import (
    DEVIATIONS,
    UNSIGNED_STEPS,
    Activation,
    clipped_to_6,
    normalized,
    quantize,
    quantize_window,
)
from quantized_convolution import Quantized, convolve

# How the pixels of photos are distributed, roughly: around MEAN.
PIXEL_DEVIATION = 60.0


def classify(images, state):
    """Probabilities, float32 [batch, 1000], of images, uint8 [batch, side, side, 3]."""
    network = Int8Network(state)
    x = network.stem(images)
    (first, stride), *others = blocks(state)
    # The first block ends in a sum without activation that only the next expansion takes: the two are one convolution.
    x = network.to_relu6(x, f"{first}._depthwise_conv", f"{first}._bn1", stride)
    projection = fold_batch_norm(state, f"{first}._project_conv", f"{first}._bn2")
    for name, stride in others:
        x = network.block(x, name, stride, projection)
        projection = None
    x = network.to_relu6(x, "_conv_head", "_bn1")
    features = mean(as_floats(bitcast(x.tensor, UINT8)), [1, 2])
    return probabilities(multiply_by_number(features, x.step), state)


@dataclass(frozen=True)
class Int8Network:
    state: dict

    def stem(self, images):
        """From pixels to quint8."""
        kernel, bias = fold_batch_norm(self.state, "_conv_stem", "_bn0")
        known = Activation(np.zeros(3), np.full(3, PIXEL_DEVIATION**2))
        steps, scale = quantize_window(kernel / SCALE, known)
        before = normalized(self.state, "_bn0")
        pixels = Quantized(bitcast(padded(images), QUINT8), 1.0, np.full(3, MEAN), known)
        bias = without_offset(bias, pixels, steps, scale)
        return convolve(pixels, steps, scale, bias, limit_of(before), stride=2, padding="VALID").known_as(
            clipped_to_6(before)
        )

    def block(self, x, name, stride, projection):
        """An inverted bottleneck; projection: kernel and bias of the one before, where that has not been computed."""
        assert expands(self.state, name)
        y = self.to_relu6(x, f"{name}._expand_conv", f"{name}._bn0", projection=projection)
        y = self.to_relu6(y, f"{name}._depthwise_conv", f"{name}._bn1", stride)
        channels = len(self.state[f"{name}._bn2.bias"])
        is_residual = projection is None and stride == 1 and x.channels == channels
        return self.project(y, name, x if is_residual else None)

    def to_relu6(self, x, convolution, norm, stride=1, projection=None):
        """A convolution with ReLU6: the end of the output's range cuts off what is above, its type what is below."""
        kernel, bias = fold_batch_norm(self.state, convolution, norm)
        if projection is not None:
            kernel, bias = after(projection, kernel, bias)
        depthwise = is_depthwise(convolution)
        steps, scale, error = quantize(kernel, x.known, depthwise)
        before = normalized(self.state, norm)
        bias = without_offset(bias - error, x, steps, scale)
        y = convolve(x, steps, scale, bias, limit_of(before), stride=stride, depthwise=depthwise)
        return y.known_as(clipped_to_6(before))

    def project(self, x, name, shortcut):
        """The convolution at a block's end, which has no activation, with the residual connection where there is one."""
        kernel, bias = fold_batch_norm(self.state, f"{name}._project_conv", f"{name}._bn2")
        steps, scale, error = quantize(kernel, x.known, False)
        bias = without_offset(bias - error, x, steps, scale)
        known = normalized(self.state, f"{name}._bn2")
        if shortcut is not None:
            known, bias = known.plus(shortcut.known), bias - shortcut.offset
        middle = DEVIATIONS * np.sqrt(known.variance).max()
        offset = middle - known.mean
        y = convolve(x, steps, scale, bias + offset, 2 * middle, summand=shortcut)
        return y.known_as(known, offset)


def padded(images):
    """With a column and a row of MEAN, as SAME pads for stride 2. Concatenation copies lines; Pad takes byte by byte."""
    _, height, width, channels = images.shape
    assert height % 2 == 0 and width % 2 == 0, "SAME pads odd sides at both ends"
    batch = batch_size(images)
    pixel = images.constant(np.uint8(MEAN))
    column = filled(batch, [height, 1, channels], pixel)
    row = filled(batch, [1, width + 1, channels], pixel)
    return ensure_shape(concatenate(concatenate(images, column, 2), row, 1))


def limit_of(before: Activation):
    """The largest value after ReLU6."""
    return min(6.0, before.largest())


def without_offset(bias, x: Quantized, steps, scale):
    """The bias for an input whose channels were moved; nothing may be padded with zeros where any was."""
    if not np.any(x.offset):
        return bias
    return bias - np.einsum("hwio,i->o", steps * scale, x.offset)


def after(projection, kernel, bias):
    """Kernel and bias of two 1x1 convolutions, one after the other with nothing between, in one."""
    first_kernel, first_bias = projection
    return (first_kernel[0, 0] @ kernel[0, 0])[None, None], bias + first_bias @ kernel[0, 0]
