"""Graphs as TensorFlow reads them (GraphDef), written without TensorFlow.

Nodes are named as TensorFlow names them in Python. So the files are, byte by byte, those that TensorFlow 2.18.1 wrote.
"""

from dataclasses import dataclass, field

import numpy as np
import protobuf

# As TensorFlow numbers its types (types.proto).
FLOAT, INT32, UINT8, INT8, QINT8, QUINT8 = 1, 3, 4, 6, 11, 12
TYPE_OF_ARRAY = {"float32": FLOAT, "int32": INT32, "uint8": UINT8, "int8": INT8}
# What scalars are written as (tensor.proto): float_val, int_val.
SCALAR_FIELDS = {FLOAT: 5, INT32: 7, UINT8: 7}
# The version of the operations, which TensorFlow converts from (TF_GRAPH_DEF_VERSION of 2.18.1).
PRODUCER = 1994


@dataclass
class Graph:
    nodes: list = field(default_factory=list)
    # The tensor of each name.
    tensors: dict = field(default_factory=dict)

    def add(self, operation, inputs, attributes, dtype, shape, name=None, full_type=b""):
        """A node with one output.

        attributes: encoded, see `attribute_*`.
        shape: a list; None stands for the batch.
        full_type: what TensorFlow notes of some outputs beside their type, encoded.
        """
        name = self.free_name(name or operation)
        self.nodes.append(
            protobuf.message(
                1,
                protobuf.message(1, name),
                protobuf.message(2, operation),
                *(protobuf.message(3, each.name) for each in inputs),
                protobuf.entries(5, attributes),
                full_type,
            )
        )
        self.tensors[name] = Tensor(self, name, dtype, list(shape))
        return self.tensors[name]

    def free_name(self, wanted):
        """That name, or it with the first number at its end that is free."""
        name, count = wanted, 0
        while name in self.tensors:
            count += 1
            name = f"{wanted}_{count}"
        return name

    def constant(self, array, name="Const"):
        array = np.asarray(array)
        dtype = TYPE_OF_ARRAY[array.dtype.name]
        attributes = {"dtype": attribute_type(dtype), "value": tensor(array, dtype)}
        return self.add("Const", [], attributes, dtype, array.shape, name)

    def definition(self):
        """The bytes of the GraphDef."""
        return b"".join(self.nodes) + protobuf.message(4, protobuf.number(1, PRODUCER))


@dataclass(frozen=True)
class Tensor:
    graph: Graph
    name: str
    dtype: int
    shape: list

    def constant(self, array, name="Const"):
        """A constant of the same graph."""
        return self.graph.constant(array, name)


def tensor(array, dtype):
    """The value of a constant. A single number is written as one, several as their bytes."""
    if array.size > 1:
        content = protobuf.message(4, array.tobytes())
    elif dtype == FLOAT:
        content = protobuf.message(SCALAR_FIELDS[dtype], array.tobytes())
    else:
        content = protobuf.numbers(SCALAR_FIELDS[dtype], [int(array.item())])
    return protobuf.message(8, protobuf.number(1, dtype), protobuf.message(2, dimensions(array.shape)), content)


def dimensions(shape):
    return b"".join(protobuf.message(2, protobuf.number(1, -1 if side is None else side)) for side in shape)


def attribute_type(dtype):
    return protobuf.number(6, dtype)


def attribute_shape(shape):
    return protobuf.message(7, dimensions(shape))


def attribute_bool(value):
    return protobuf.number(5, int(value))


def attribute_int(value):
    return protobuf.number(3, value)


def attribute_float(value):
    return protobuf.real(4, value)


def attribute_text(value):
    return protobuf.message(2, value)


def attribute_ints(values):
    return protobuf.message(1, protobuf.numbers(3, values))


def attribute_types(values):
    return protobuf.message(1, protobuf.numbers(6, values))


def attribute_texts(values):
    return protobuf.message(1, *(protobuf.message(2, value) for value in values))
