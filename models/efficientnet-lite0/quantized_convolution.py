"""TensorFlow's quantized convolutions as oneDNN computes them: bytes in, bytes out, all that lies between in one go."""

from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf
from network import constant
from quantization import SIGNED_STEPS, UNSIGNED_STEPS, Activation
from tensorflow.python.framework import op_def_library


@dataclass(frozen=True)
class Quantized:
    """A tensor of quint8 or qint8 that stands for values: step * tensor = value + offset."""

    tensor: tf.Tensor
    step: float
    # An element a channel.
    offset: np.ndarray
    # Of the values.
    known: Activation = None

    @property
    def channels(self):
        return self.tensor.shape.as_list()[-1]

    @property
    def range(self):
        """The ends of it, as TensorFlow is told."""
        if self.tensor.dtype == tf.qint8:
            return -SIGNED_STEPS * self.step, SIGNED_STEPS * self.step
        return 0.0, UNSIGNED_STEPS * self.step

    def known_as(self, known, offset=None):
        return replace(self, known=known, **({} if offset is None else {"offset": offset}))


def convolve(x, steps, scale, bias, limit, *, stride=1, padding="SAME", depthwise=False, summand=None):
    """A convolution to quint8, from 0 to `limit`; what lies outside is cut off.

    steps, scale: the kernel, int8, and what a step of it is worth in each output channel.
    summand: a Quantized that is added; its memory takes the output, so nothing else may need it by then.
    """
    kernel_range = constant(SIGNED_STEPS * scale)
    summands = [] if summand is None else [summand]
    _, _, output, *_ = op_def_library._apply_op_helper(
        "_FusedQuantizedDepthwiseConv2D" if depthwise else "_FusedQuantizedConv2D",
        # TensorFlow's own name begins with an underscore, which that of a node must not.
        name="convolution",
        device_inputs=[
            x.tensor,
            tf.bitcast(tf.constant(steps.astype(np.int8)), tf.qint8),
            constant(bias),
            *(each.tensor for each in summands),
        ],
        host_inputs=[
            *scalars(x.range),
            # Of both ends TensorFlow takes the one with the larger absolute value.
            kernel_range,
            kernel_range,
            *(end for each in summands for end in scalars(each.range)),
            *scalars((0.0, limit)),
        ],
        Tinput=x.tensor.dtype,
        Tfilter=tf.qint8,
        Tbias=tf.float32,
        Tsummand=tf.quint8,
        out_type=tf.quint8,
        Tdevice_outputs=[tf.quint8],
        Thost_outputs=[tf.float32, tf.float32],
        # TensorFlow adds only before a ReLU, which here changes nothing.
        fused_ops=["BiasAdd", *(["Sum", "Relu"] if summands else []), "Requantize"],
        strides=[1, stride, stride, 1],
        padding=padding,
        data_format="NHWC",
        dilations=[1, 1, 1, 1],
        explicit_paddings=[],
        is_filter_const=True,
        is_bias_const=True,
        alpha=0.0,
    )
    tensor = output.outputs[0]
    batch, *sides, _ = x.tensor.shape.as_list()
    left_out = 0 if padding == "SAME" else steps.shape[0] - 1
    tensor.set_shape([batch, *(-(-(side - left_out) // stride) for side in sides), len(bias)])
    return Quantized(tensor, limit / UNSIGNED_STEPS, np.zeros(len(bias)))


def scalars(values):
    """Nodes that all convolutions of a graph share."""
    return [shared_scalar(float(value)) for value in values]


def shared_scalar(value):
    graph, name = tf.compat.v1.get_default_graph(), f"range/{value!r}".replace("-", "minus_").replace("+", "")
    try:
        return graph.get_tensor_by_name(f"{name}:0")
    except KeyError:
        return tf.constant(value, tf.float32, name=name)
