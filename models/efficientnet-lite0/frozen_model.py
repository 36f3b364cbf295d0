"""SavedModels without variables."""

import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel


def frozen_model(shape, input_name, output_name, compute):
    """Returns the bytes of a saved_model.pb from uint8 [batch, *shape] to what `compute` makes of it.

    The protocol buffer is put together here, because tf.saved_model.save would add a checkpoint and
    an object graph, which a model without variables has no use for.
    """
    model = SavedModel(saved_model_schema_version=1)
    graph = model.meta_graphs.add()
    graph.meta_info_def.tags.append(tf.saved_model.SERVING)
    graph.meta_info_def.tensorflow_version = tf.__version__

    with tf.Graph().as_default() as nodes:
        taken = tf.compat.v1.placeholder(tf.uint8, [None, *shape], name=input_name)
        given = tf.identity(compute(taken), name=output_name)
        graph.graph_def.CopyFrom(nodes.as_graph_def())

    signature = graph.signature_def[tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY]
    signature.method_name = "tensorflow/serving/predict"
    for tensors, tensor in (signature.inputs, taken), (signature.outputs, given):
        info = tensors[tensor.op.name]
        info.name = tensor.name
        info.dtype = tensor.dtype.as_datatype_enum
        info.tensor_shape.CopyFrom(tensor.shape.as_proto())
    return model.SerializeToString(deterministic=True)
