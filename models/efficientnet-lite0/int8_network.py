"""EfficientNet-Lite0 in eight-bit integers, for processors that multiply them four at a time (VNNI).

The stem and the first block, whose few weights matter most, and the last layer are computed in floats. So are the
sums of the residual connections: what is rounded is what goes into a convolution.
"""

import tensorflow as tf
from network import block, blocks, constant, expands, fold_batch_norm, is_depthwise, probabilities, stem
from quantization import (
    SIGNED_STEPS,
    UNSIGNED_STEPS,
    Activation,
    clipped_to_6,
    normalized,
    quantize,
)


def classify(images, state):
    """Probabilities, float32 [batch, 1000], of images, uint8 [batch, 224, 224, 3]."""
    (first, stride), *others = blocks()
    x = block(stem(images, state), state, first, stride)
    known = normalized(state, f"{first}._bn2")
    for name, stride in others:
        y, y_known = inverted_bottleneck(x, known, state, name, stride)
        is_residual = y.shape.as_list() == x.shape.as_list()
        x, known = (x + y, known.plus(y_known)) if is_residual else (y, y_known)
    x, limit, _ = convolve_to_relu6(*to_qint8(x, known), known, state, "_conv_head", "_bn1")
    features = tf.cast(tf.bitcast(x, tf.uint8), tf.float32)
    return probabilities(tf.reduce_mean(features, axis=[1, 2]) * (limit / UNSIGNED_STEPS), state)


def inverted_bottleneck(x, known, state, name, stride):
    """Floats in and out; returns what is known of the output too."""
    assert expands(state, name)
    x, limit, known = convolve_to_relu6(*to_qint8(x, known), known, state, f"{name}._expand_conv", f"{name}._bn0")
    x, limit, known = convolve_to_relu6(x, limit, known, state, f"{name}._depthwise_conv", f"{name}._bn1", stride)
    return project(x, limit, known, state, name), normalized(state, f"{name}._bn2")


def to_qint8(x, known):
    """Returns the rounded tensor and its range."""
    limit = known.largest()
    y = tf.raw_ops.QuantizeV2(
        input=x, min_range=-limit, max_range=limit, T=tf.qint8, mode="SCALED", round_mode="HALF_TO_EVEN"
    )
    return y.output, limit


def convolve_to_relu6(x, x_limit, known: Activation, state, convolution, norm, stride=1):
    """A convolution from qint8 or quint8 to quint8; returns its range and what is known of it too."""
    kernel, bias = fold_batch_norm(state, convolution, norm)
    depthwise = is_depthwise(convolution)
    steps, scale, error = quantize(kernel, known, depthwise)
    before = normalized(state, norm)
    limit = min(6.0, before.largest())
    op = (
        tf.raw_ops.QuantizedDepthwiseConv2DWithBiasAndReluAndRequantize
        if depthwise
        else tf.raw_ops.QuantizedConv2DWithBiasAndReluAndRequantize
    )
    y = op(
        input=x,
        filter=tf.bitcast(tf.constant(steps), tf.qint8),
        bias=constant(bias - error),
        min_input=-x_limit if x.dtype == tf.qint8 else 0.0,
        max_input=x_limit,
        min_filter=constant(-SIGNED_STEPS * scale),
        max_filter=constant(SIGNED_STEPS * scale),
        min_freezed_output=0.0,
        max_freezed_output=limit,
        strides=[1, stride, stride, 1],
        padding="SAME",
        out_type=tf.quint8,
    ).output
    return y, limit, clipped_to_6(before)


def project(x, x_limit, known, state, name):
    """The 1x1 convolution without activation, from quint8 to floats.

    The op is told of one scale for the whole kernel, so that it gives its sums as they are; the scales of the
    channels come after it, where they cost nothing beside the bias.
    """
    kernel, bias = fold_batch_norm(state, f"{name}._project_conv", f"{name}._bn2")
    steps, scale, error = quantize(kernel, known, depthwise=False)
    sums = tf.raw_ops.QuantizedConv2D(
        input=x,
        filter=tf.bitcast(tf.constant(steps), tf.qint8),
        min_input=0.0,
        max_input=x_limit,
        min_filter=-1.0,
        max_filter=1.0,
        strides=[1, 1, 1, 1],
        padding="SAME",
        out_type=tf.qint32,
    ).output
    sums = tf.cast(tf.bitcast(sums, tf.int32), tf.float32)
    return sums * constant(scale * x_limit / UNSIGNED_STEPS) + constant(bias - error)
