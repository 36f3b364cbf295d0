"""The operations of TensorFlow that the networks are made of, each with the attributes that TensorFlow gives it."""

import numpy as np
import protobuf
from graph import (
    FLOAT,
    INT32,
    attribute_bool,
    attribute_int,
    attribute_ints,
    attribute_shape,
    attribute_text,
    attribute_type,
)

NHWC = attribute_text("NHWC")
# Of the one output of Shape (full_type.proto): TFT_PRODUCT of TFT_SHAPE_TENSOR of TFT_INT32.
SHAPE_OF_INT32 = protobuf.message(
    7,
    protobuf.number(1, 3),
    protobuf.message(2, protobuf.number(1, 1005), protobuf.message(2, protobuf.number(1, 207))),
)


def placeholder(graph, dtype, shape, name):
    attributes = {"dtype": attribute_type(dtype), "shape": attribute_shape(shape)}
    return graph.add("Placeholder", [], attributes, dtype, shape, name)


def identity(x, name):
    return same_shape("Identity", [x], name)


def cast(x, dtype):
    attributes = {"SrcT": attribute_type(x.dtype), "DstT": attribute_type(dtype), "Truncate": attribute_bool(False)}
    return x.graph.add("Cast", [x], attributes, dtype, x.shape)


def bitcast(x, dtype):
    """The same bytes as another type of the same size."""
    attributes = {"T": attribute_type(x.dtype), "type": attribute_type(dtype)}
    return x.graph.add("Bitcast", [x], attributes, dtype, x.shape)


def relu6(x):
    return same_shape("Relu6", [x])


def softmax(x):
    return same_shape("Softmax", [x])


def add(x, y):
    return same_shape("AddV2", [x, y], "add")


def subtract_number(x, number):
    return with_number("Sub", "sub", x, number)


def multiply_by_number(x, number):
    return with_number("Mul", "mul", x, number)


def with_number(operation, name, x, number):
    return same_shape(operation, [x, x.constant(np.float32(number), f"{name}/y")], name)


def same_shape(operation, inputs, name=None):
    x = inputs[0]
    return x.graph.add(operation, inputs, {"T": attribute_type(x.dtype)}, x.dtype, x.shape, name)


def bias_add(x, bias):
    attributes = {"T": attribute_type(x.dtype), "data_format": NHWC}
    return x.graph.add("BiasAdd", [x, bias], attributes, x.dtype, x.shape)


def conv2d(x, kernel, stride):
    return convolution("Conv2D", x, kernel, stride, {"use_cudnn_on_gpu": attribute_bool(True)})


def depthwise_conv2d(x, kernel, stride):
    return convolution("DepthwiseConv2dNative", x, kernel, stride, {})


def convolution(operation, x, kernel, stride, others):
    """With zeros around the picture where the window reaches beyond it."""
    attributes = {"T": attribute_type(x.dtype), **window(stride, "SAME"), **others}
    batch, *sides, channels = x.shape
    outputs = channels if operation.startswith("Depthwise") else kernel.shape[-1]
    shape = [batch, *(-(-side // stride) for side in sides), outputs]
    return x.graph.add(operation, [x, kernel], attributes, x.dtype, shape)


def window(stride, padding):
    """What all convolutions say of how they step over a picture."""
    return {
        "data_format": NHWC,
        "dilations": attribute_ints([1, 1, 1, 1]),
        "explicit_paddings": attribute_ints([]),
        "padding": attribute_text(padding),
        "strides": attribute_ints([1, stride, stride, 1]),
    }


def mean(x, axes):
    """axes: one, or a list of them."""
    graph, name = x.graph, x.graph.free_name("Mean")
    over = graph.constant(np.array(axes, np.int32), f"{name}/reduction_indices")
    attributes = {"T": attribute_type(x.dtype), "Tidx": attribute_type(INT32), "keep_dims": attribute_bool(False)}
    left = [side for axis, side in enumerate(x.shape) if axis not in np.atleast_1d(axes)]
    return graph.add("Mean", [x, over], attributes, x.dtype, left, name)


def matmul(x, matrix):
    no = attribute_bool(False)
    attributes = {"T": attribute_type(x.dtype), "transpose_a": no, "transpose_b": no, "grad_a": no, "grad_b": no}
    return x.graph.add("MatMul", [x, matrix], attributes, x.dtype, [x.shape[0], matrix.shape[1]])


def reshape(x, shape):
    """shape: the first is the batch."""
    graph, name = x.graph, x.graph.free_name("Reshape")
    wanted = graph.constant(np.array([-1, *shape[1:]], np.int32), f"{name}/shape")
    attributes = {"T": attribute_type(x.dtype), "Tshape": attribute_type(INT32)}
    return graph.add("Reshape", [x, wanted], attributes, x.dtype, shape, name)


def batch_size(x):
    """How many images there are, when the model runs: an int32."""
    graph, number = x.graph, attribute_type(INT32)
    attributes = {"T": attribute_type(x.dtype), "out_type": number}
    sides = graph.add("Shape", [x], attributes, INT32, [len(x.shape)], full_type=SHAPE_OF_INT32)
    name = graph.free_name("strided_slice")
    slices = [("stack", 0), ("stack_1", 1), ("stack_2", 1)]
    ends = [graph.constant(np.array([at], np.int32), f"{name}/{end}") for end, at in slices]
    masks = {mask: attribute_int(0) for mask in ("begin_mask", "ellipsis_mask", "end_mask", "new_axis_mask")}
    attributes = {"T": number, "Index": number, "shrink_axis_mask": attribute_int(1), **masks}
    return graph.add("StridedSlice", [sides, *ends], attributes, INT32, [], name)


def filled(batch, shape, value):
    """A tensor [batch, *shape] of the same scalar everywhere."""
    graph, name = batch.graph, batch.graph.free_name("stack")
    sides = [graph.constant(np.int32(side), f"{name}/{at}") for at, side in enumerate(shape, 1)]
    packing = {"N": attribute_int(len(shape) + 1), "T": attribute_type(INT32), "axis": attribute_int(0)}
    stacked = graph.add("Pack", [batch, *sides], packing, INT32, [len(shape) + 1], name)
    attributes = {"T": attribute_type(value.dtype), "index_type": attribute_type(INT32)}
    return graph.add("Fill", [stacked, value], attributes, value.dtype, [None, *shape])


def concatenate(x, y, axis):
    graph, name = x.graph, x.graph.free_name("concat")
    along = graph.constant(np.int32(axis), f"{name}/axis")
    shape = [*x.shape]
    shape[axis] += y.shape[axis]
    attributes = {"N": attribute_int(2), "T": attribute_type(x.dtype), "Tidx": attribute_type(INT32)}
    return graph.add("ConcatV2", [x, y, along], attributes, x.dtype, shape, name)


def ensure_shape(x):
    """Makes TensorFlow know what shape it is."""
    attributes = {"T": attribute_type(x.dtype), "shape": attribute_shape(x.shape)}
    return x.graph.add("EnsureShape", [x], attributes, x.dtype, x.shape)


def as_floats(x):
    return cast(x, FLOAT)
