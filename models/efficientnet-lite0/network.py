"""EfficientNet-Lite0 in 32-bit floats."""

import numpy as np
import tensorflow as tf

# The network was trained on (pixel - MEAN) / SCALE.
MEAN, SCALE = 127.0, 128.0
BATCH_NORM_EPSILON = 1e-3
# The seven stages: how many blocks, and the stride of the first of them. Kernel sizes, channels
# and whether a block expands are in the weights.
STAGES = [(1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1)]


def classify(images, state):
    """Probabilities, float32 [batch, 1000], of images, uint8 [batch, 224, 224, 3]."""
    x = stem(images, state)
    for name, stride in blocks():
        x = block(x, state, name, stride)
    x = tf.nn.relu6(convolve(x, state, "_conv_head", "_bn1"))
    return probabilities(tf.reduce_mean(x, axis=[1, 2]), state)


def blocks():
    """The blocks in the order in which an image passes them: their names and strides."""
    strides = [each for count, stride in STAGES for each in [stride] + [1] * (count - 1)]
    return [(f"_blocks.{number}", stride) for number, stride in enumerate(strides)]


def stem(images, state):
    # The division by SCALE, a power of two, goes into the weights without loss. The subtraction
    # cannot: SAME pads with zeros, which must stand for MEAN.
    x = tf.cast(images, tf.float32) - MEAN
    return tf.nn.relu6(convolve(x, state, "_conv_stem", "_bn0", stride=2, scale=SCALE))


def block(x, state, name, stride):
    shortcut = x
    if expands(state, name):
        x = tf.nn.relu6(convolve(x, state, f"{name}._expand_conv", f"{name}._bn0"))
    x = tf.nn.relu6(convolve(x, state, f"{name}._depthwise_conv", f"{name}._bn1", stride))
    x = convolve(x, state, f"{name}._project_conv", f"{name}._bn2")
    return x + shortcut if x.shape.as_list() == shortcut.shape.as_list() else x


def probabilities(features, state):
    logits = tf.matmul(features, constant(state["_fc.weight"].T))
    return tf.nn.softmax(tf.nn.bias_add(logits, constant(state["_fc.bias"])))


def convolve(x, state, convolution, norm, stride=1, scale=1.0):
    kernel, bias = fold_batch_norm(state, convolution, norm)
    kernel, bias = constant(kernel / scale), constant(bias)
    strides = [1, stride, stride, 1]
    if is_depthwise(convolution):
        x = tf.raw_ops.DepthwiseConv2dNative(input=x, filter=kernel, strides=strides, padding="SAME")
    else:
        x = tf.raw_ops.Conv2D(input=x, filter=kernel, strides=strides, padding="SAME")
    return tf.nn.bias_add(x, bias)


def constant(array):
    return tf.constant(array.astype(np.float32))


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
