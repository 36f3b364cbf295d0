"""Unpacks parts of the one wheel in a folder.

    python3 unpack_wheel.py FOLDER DESTINATION BEGINNING=TARGET ...

Every file of the wheel whose name starts with BEGINNING is written to DESTINATION, under its name with
TARGET in the place of BEGINNING. Exits with 1 when there is none. Files are streamed: the largest holds
several hundred megabytes.
"""

import pathlib
import shutil
import sys
import zipfile

CHUNK = 1 << 20


def unpack(wheel, destination, beginning, target):
    names = [name for name in wheel.namelist() if name.startswith(beginning) and not name.endswith("/")]
    if not names:
        sys.exit(f"{wheel.filename} has no {beginning}")
    for name in names:
        path = destination / (target + name[len(beginning):])
        path.parent.mkdir(parents=True, exist_ok=True)
        with wheel.open(name) as source, path.open("wb") as file:
            shutil.copyfileobj(source, file, CHUNK)


def main(folder, destination, *parts):
    (path,) = pathlib.Path(folder).iterdir()
    with zipfile.ZipFile(path) as wheel:
        for part in parts:
            unpack(wheel, pathlib.Path(destination), *part.split("=", 1))


main(*sys.argv[1:])
