"""Reads PyTorch's file format from before 1.6, without PyTorch."""

import io
import pickle
from collections import OrderedDict

import numpy as np


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
