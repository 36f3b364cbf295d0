#!/usr/bin/env python3
"""Compares model folders with Keras' own layers and the published weights, on photos.

    python3 -m pip install tensorflow-cpu==2.18.1 keras==3.10.0
    python3 models/efficientnet-lite/compare_with_keras.py PHOTOS efficientnet-lite2=FOLDER ...

The network is put together here from the table of the paper, with batch norm as a layer of its own. It shares only the
reading of the weights with what builds the model. Exits with 1 when a score differs by more than MOST.
"""

import json
import pathlib
import sys

import build
import keras
import numpy as np
import tensorflow as tf
from keras import layers
from state_dict import read_state_dict

# 1 is the largest score.
MOST = 1e-5
# Repeats, kernel, stride, expansion, channels (table 1 of arXiv:1905.11946), before scaling.
STAGES = [
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
]
# Width and depth of each network; stem, head, first and last stage keep their size, but for the last stage's channels.
SCALES = {"efficientnet-lite0": (1.0, 1.0), "efficientnet-lite1": (1.0, 1.1), "efficientnet-lite2": (1.1, 1.2)}


def main():
    photos, *pairs = sys.argv[1:]
    for network, folder in (pair.split("=") for pair in pairs):
        side = json.loads((pathlib.Path(build.MODELS) / network / "classifier.json").read_text())["inputSize"]
        images = tf.stack([pixels(path, side) for path in sorted(pathlib.Path(photos).glob("*.jpg"))])
        expected = reference(network, side)(tf.cast(images, tf.float32), training=False).numpy()
        found = scores(folder, images)
        largest = float(np.abs(found - expected).max())
        print(f"{network}: {len(images)} photos, largest difference of a score to Keras: {largest:.1e}")
        print(f"    int8: {compared(scores(f'{folder}/int8', images), expected)}")
        if largest > MOST:
            sys.exit(f"expected at most {MOST:.0e}")


def pixels(path, side):
    """The middle square, as whole numbers, which both are given."""
    photo = tf.image.central_crop(tf.io.decode_jpeg(path.read_bytes(), channels=3), 0.875)
    return tf.cast(tf.clip_by_value(tf.image.resize(photo, [side, side], "bicubic", antialias=True), 0, 255), tf.uint8)


def scores(folder, images):
    model = tf.saved_model.load(folder).signatures["serving_default"]
    batches = [images[at : at + 8] for at in range(0, len(images), 8)]
    return np.concatenate([model(images=batch)["probabilities"].numpy() for batch in batches])


def compared(found, expected):
    others = int((found.argmax(1) != expected.argmax(1)).sum())
    divergence = float((expected * np.log((expected + 1e-9) / (found + 1e-9))).sum(1).mean())
    differences = np.abs(found - expected).max(1)
    return f"{others} other best classes, divergence {divergence:.4f}, largest difference {differences.max():.3f}"


def reference(network, side):
    weights = [content for name, content in build.fetch(build.MODELS / network).items() if name.endswith(".pth")]
    state = read_state_dict(weights[0])
    width, depth = SCALES[network]
    x = taken = keras.Input([side, side, 3])
    x = (x - 127) / 128
    x = normalized(convolved(x, state, "_conv_stem", 2), state, "_bn0", True)
    number = 0
    for stage, (repeats, kernel, stride, expansion, channels) in enumerate(STAGES):
        count = repeats if stage in (0, len(STAGES) - 1) else int(np.ceil(repeats * depth))
        for repeat in range(count):
            block = {"kernel": kernel, "stride": 1 if repeat else stride, "expansion": expansion}
            x = bottleneck(x, state, f"_blocks.{number}", block, scaled(channels, width))
            number += 1
    assert f"_blocks.{number}._bn1.weight" not in state
    x = normalized(convolved(x, state, "_conv_head", 1), state, "_bn1", True)
    dense = layers.Dense(1000, activation="softmax")
    given = dense(layers.GlobalAveragePooling2D()(x))
    dense.set_weights([state["_fc.weight"].T, state["_fc.bias"]])
    return keras.Model(taken, given)


def scaled(channels, width):
    """A multiple of 8, and not less than nine tenths of what was asked for."""
    wanted = channels * width
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * wanted else rounded


def bottleneck(x, state, name, block, channels):
    shortcut = x
    if block["expansion"] != 1:
        assert len(state[f"{name}._expand_conv.weight"]) == x.shape[-1] * block["expansion"]
        x = normalized(convolved(x, state, f"{name}._expand_conv", 1), state, f"{name}._bn0", True)
    layer = layers.DepthwiseConv2D(block["kernel"], block["stride"], "same", use_bias=False)
    x = weighted(layer, x, [state[f"{name}._depthwise_conv.weight"].transpose(2, 3, 0, 1)])
    x = normalized(x, state, f"{name}._bn1", True)
    x = normalized(convolved(x, state, f"{name}._project_conv", 1), state, f"{name}._bn2", False)
    assert x.shape[-1] == channels
    return layers.Add()([x, shortcut]) if block["stride"] == 1 and x.shape == shortcut.shape else x


def convolved(x, state, name, stride):
    kernel = state[f"{name}.weight"].transpose(2, 3, 1, 0)
    layer = layers.Conv2D(kernel.shape[-1], kernel.shape[:2], stride, "same", use_bias=False)
    return weighted(layer, x, [kernel])


def normalized(x, state, name, relu6):
    layer = layers.BatchNormalization(epsilon=1e-3)
    x = weighted(layer, x, [state[f"{name}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")])
    return layers.ReLU(6)(x) if relu6 else x


def weighted(layer, x, weights):
    y = layer(x)
    layer.set_weights(weights)
    return y


if __name__ == "__main__":
    main()
