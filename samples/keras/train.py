#!/usr/bin/env python3
"""Trains a small Keras model that says which colour a picture has, and exports it for labelqueue.

    python3 -m venv keras && . keras/bin/activate
    python3 -m pip install -r samples/keras/requirements.txt
    python3 samples/keras/train.py FOLDER

The pictures are made here, so that nothing has to be fetched; in their place come photos of yours.
"""

import sys

import keras
import numpy as np

LABELS = ["red", "green", "blue", "none"]
SIZE = 64


def pictures(count, generator):
    """Returns pictures of noise, pixels from 0 to 255, with one channel brighter or none, and their classes."""
    classes = generator.integers(len(LABELS), size=count)
    images = generator.uniform(0, 160, (count, SIZE, SIZE, 3)).astype("float32")
    for image, number in zip(images, classes):
        if number < 3:
            image[..., number] += 95
    return images, classes


def main(folder):
    keras.utils.set_random_seed(1)
    images, classes = pictures(800, np.random.default_rng(1))
    model = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            # Normalization is part of the model, so classifier.json says nothing of it.
            keras.layers.Rescaling(1 / 127.5, offset=-1),
            keras.layers.Conv2D(16, 3, strides=2, activation="relu"),
            keras.layers.Conv2D(16, 3, strides=2, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(len(LABELS), activation="softmax"),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(images, classes, epochs=4, validation_split=0.2, verbose=2)
    model.export(folder)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
