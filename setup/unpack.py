"""python3 unpack.py FOLDER DESTINATION BEGINNING=TARGET ...: unpacks parts of the one wheel in a folder, with TARGET in the
place of BEGINNING in the names of the files."""

import pathlib
import shutil
import sys
import zipfile

folder, destination, *parts = sys.argv[1:]
(path,) = pathlib.Path(folder).iterdir()
with zipfile.ZipFile(path) as wheel:
    for beginning, target in (part.split("=") for part in parts):
        for info in wheel.infolist():
            if info.filename.startswith(beginning) and not info.is_dir():
                file = pathlib.Path(destination, target + info.filename[len(beginning):])
                file.parent.mkdir(parents=True, exist_ok=True)
                # As a stream: the largest holds several hundred megabytes.
                with wheel.open(info) as source, file.open("wb") as output:
                    shutil.copyfileobj(source, output, 1 << 20)
                file.chmod(0o755 if info.external_attr >> 16 & 0o100 else 0o644)
