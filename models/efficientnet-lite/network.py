"""The EfficientNet-Lite networks in 32-bit floats."""

import numpy as np
from operations import (
    add,
    as_floats,
    bias_add,
    conv2d,
    depthwise_conv2d,
    matmul,
    mean,
    relu6,
    softmax,
    subtract_number,
)

# The network was trained on (pixel - MEAN) / SCALE.
MEAN, SCALE = 127.0, 128.0
BATCH_NORM_EPSILON = 1e-3
# The seven stages: the stride of the first block of each. How many blocks a stage has, kernel sizes, channels
# and whether a block expands are in the weights.
STAGE_STRIDES = [1, 2, 2, 2, 1, 2, 1]


def classify(images, state):
    """Probabilities, float32 [batch, 1000], of images, uint8 [batch, side, side, 3]."""
    x = stem(images, state)
    for name, stride in blocks(state):
        x = block(x, state, name, stride)
    x = relu6(convolve(x, state, "_conv_head", "_bn1"))
    return probabilities(mean(x, [1, 2]), state)


def blocks(state):
    """The names and strides of the blocks, in their order. Each stage begins where the number of channels changes."""
    found, strides, channels = [], iter(STAGE_STRIDES), None
    while (name := f"_blocks.{len(found)}") + "._bn2.bias" in state:
        before, channels = channels, len(state[f"{name}._bn2.bias"])
        found.append((name, next(strides) if channels != before else 1))
    assert next(strides, None) is None
    return found


def stem(images, state):
    # The division by SCALE, a power of two, goes into the weights without loss. The subtraction
    # cannot: SAME pads with zeros, which must stand for MEAN.
    x = subtract_number(as_floats(images), MEAN)
    return relu6(convolve(x, state, "_conv_stem", "_bn0", stride=2, scale=SCALE))


def block(x, state, name, stride):
    shortcut = x
    if expands(state, name):
        x = relu6(convolve(x, state, f"{name}._expand_conv", f"{name}._bn0"))
    x = relu6(convolve(x, state, f"{name}._depthwise_conv", f"{name}._bn1", stride))
    x = convolve(x, state, f"{name}._project_conv", f"{name}._bn2")
    return add(x, shortcut) if x.shape == shortcut.shape else x


def probabilities(features, state):
    logits = matmul(features, constant(features, state["_fc.weight"].T))
    return softmax(bias_add(logits, constant(features, state["_fc.bias"])))


def convolve(x, state, convolution, norm, stride=1, scale=1.0):
    kernel, bias = fold_batch_norm(state, convolution, norm)
    kernel, bias = constant(x, kernel / scale), constant(x, bias)
    convolved = depthwise_conv2d if is_depthwise(convolution) else conv2d
    return bias_add(convolved(x, kernel, stride), bias)


def constant(x, array):
    """A constant of 32-bit floats in the graph of x."""
    return x.constant(array.astype(np.float32))


def expands(state, block_name):
    return f"{block_name}._expand_conv.weight" in state


def is_depthwise(convolution):
    return convolution.endswith("._depthwise_conv")


def fold_batch_norm(state, convolution, norm):
    """Returns the kernel (height, width, in, out) and bias of a convolution with its batch norm in it."""
    gamma, beta, mean, variance = (
        state[f"{norm}.{part}"].astype(np.float64) for part in ("weight", "bias", "running_mean", "running_var")
    )
    gain = gamma / np.sqrt(variance + BATCH_NORM_EPSILON)
    kernel = state[f"{convolution}.weight"] * gain.reshape(-1, 1, 1, 1)
    # From out, in, height, width. A depthwise kernel is channel, 1, height, width there and
    # height, width, channel, 1 in TensorFlow.
    axes = (2, 3, 0, 1) if is_depthwise(convolution) else (2, 3, 1, 0)
    return kernel.transpose(axes), beta - mean * gain
