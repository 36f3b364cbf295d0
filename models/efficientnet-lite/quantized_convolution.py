"""TensorFlow's quantized convolutions as oneDNN computes them: bytes in, bytes out, all that lies between in one go."""

from dataclasses import dataclass, replace

import numpy as np
from graph import (
    FLOAT,
    QINT8,
    QUINT8,
    Tensor,
    attribute_bool,
    attribute_float,
    attribute_texts,
    attribute_type,
    attribute_types,
)
from network import constant
from operations import bitcast, window
from quantization import SIGNED_STEPS, UNSIGNED_STEPS, Activation


@dataclass(frozen=True)
class Quantized:
    """A tensor of quint8 or qint8 that stands for values: step * tensor = value + offset."""

    tensor: Tensor
    step: float
    # An element a channel.
    offset: np.ndarray
    # Of the values.
    known: Activation = None

    @property
    def channels(self):
        return self.tensor.shape[-1]

    @property
    def range(self):
        """The ends of it, as TensorFlow is told."""
        if self.tensor.dtype == QINT8:
            return -SIGNED_STEPS * self.step, SIGNED_STEPS * self.step
        return 0.0, UNSIGNED_STEPS * self.step

    def known_as(self, known, offset=None):
        return replace(self, known=known, **({} if offset is None else {"offset": offset}))


def convolve(x, steps, scale, bias, limit, *, stride=1, padding="SAME", depthwise=False, summand=None):
    """A convolution to quint8, from 0 to `limit`; what lies outside is cut off.

    steps, scale: the kernel, int8, and what a step of it is worth in each output channel.
    summand: a Quantized that is added; its memory takes the output, so nothing else may need it by then.
    """
    graph = x.tensor.graph
    kernel_range = constant(x.tensor, SIGNED_STEPS * scale)
    summands = [] if summand is None else [summand]
    device_inputs = [
        x.tensor,
        bitcast(graph.constant(steps.astype(np.int8)), QINT8),
        constant(x.tensor, bias),
        *(each.tensor for each in summands),
    ]
    host_inputs = [
        *scalars(graph, x.range),
        # Of both ends TensorFlow takes the one with the larger absolute value.
        kernel_range,
        kernel_range,
        *(end for each in summands for end in scalars(graph, each.range)),
        *scalars(graph, (0.0, limit)),
    ]
    attributes = {
        "Tinput": attribute_type(x.tensor.dtype),
        "Tfilter": attribute_type(QINT8),
        "Tbias": attribute_type(FLOAT),
        "Tsummand": attribute_type(QUINT8),
        "out_type": attribute_type(QUINT8),
        "Tdevice_inputs": attribute_types([each.dtype for each in device_inputs]),
        "Thost_inputs": attribute_types([each.dtype for each in host_inputs]),
        "Tdevice_outputs": attribute_types([QUINT8]),
        "Thost_outputs": attribute_types([FLOAT, FLOAT]),
        # TensorFlow adds only before a ReLU, which here changes nothing.
        "fused_ops": attribute_texts(["BiasAdd", *(["Sum", "Relu"] if summands else []), "Requantize"]),
        "is_filter_const": attribute_bool(True),
        "is_bias_const": attribute_bool(True),
        "alpha": attribute_float(0.0),
        **window(stride, padding),
    }
    operation = "_FusedQuantizedDepthwiseConv2D" if depthwise else "_FusedQuantizedConv2D"
    batch, *sides, _ = x.tensor.shape
    left_out = 0 if padding == "SAME" else steps.shape[0] - 1
    shape = [batch, *(-(-(side - left_out) // stride) for side in sides), len(bias)]
    # TensorFlow's own name begins with an underscore, which that of a node must not.
    output = graph.add(operation, device_inputs + host_inputs, attributes, QUINT8, shape, "convolution")
    return Quantized(output, limit / UNSIGNED_STEPS, np.zeros(len(bias)))


def scalars(graph, values):
    """Nodes that all convolutions of a graph share."""
    return [shared_scalar(graph, float(value)) for value in values]


def shared_scalar(graph, value):
    name = f"range/{value!r}".replace("-", "minus_").replace("+", "")
    return graph.tensors.get(name) or graph.constant(np.float32(value), name)
