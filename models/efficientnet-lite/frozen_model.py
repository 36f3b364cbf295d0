"""SavedModels without variables."""

import protobuf
from graph import UINT8, Graph, dimensions
from operations import identity, placeholder

# The version whose operations the graphs are made of.
TENSORFLOW = "2.18.1"
# The names that TensorFlow Serving takes when none is given.
TAG, SIGNATURE, METHOD = "serve", "serving_default", "tensorflow/serving/predict"


def frozen_model(shape, input_name, output_name, compute):
    """Returns the bytes of a saved_model.pb from uint8 [batch, *shape] to what `compute` makes of it.

    It has no checkpoint and no object graph, which a model without variables has no use for.
    """
    graph = Graph()
    taken = placeholder(graph, UINT8, [None, *shape], input_name)
    given = identity(compute(taken), output_name)
    about = protobuf.message(4, TAG) + protobuf.message(5, TENSORFLOW)
    signature = described(1, taken) + described(2, given) + protobuf.message(3, METHOD)
    return protobuf.number(1, 1) + protobuf.message(
        2,
        protobuf.message(1, about),
        protobuf.message(2, graph.definition()),
        protobuf.entries(5, {SIGNATURE: signature}),
    )


def described(field, tensor):
    """An input or an output of a signature."""
    facts = [
        protobuf.message(1, f"{tensor.name}:0"),
        protobuf.number(2, tensor.dtype),
        protobuf.message(3, dimensions(tensor.shape)),
    ]
    return protobuf.entries(field, {tensor.name: b"".join(facts)})
