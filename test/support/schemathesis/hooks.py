"""Real images and real addresses for schemathesis, which by itself would make bytes and text at random."""

import json
import os

import schemathesis
from hypothesis import strategies as st

PHOTOS = os.environ["PHOTOS"]
URLS = json.loads(os.environ["IMAGE_URLS"])


def read(name):
    with open(os.path.join(PHOTOS, name), "rb") as photo:
        return photo.read()


BODIES = st.sampled_from([read(name) for name in sorted(os.listdir(PHOTOS))]) | st.binary(max_size=200)
for media_type in ("image/*", "application/octet-stream"):
    schemathesis.openapi.media_type(media_type, BODIES)


@schemathesis.hook.apply_to(method="GET", path="/classify")
def map_case(context, case):
    """Most of what is meant to be valid names one image, which a schema cannot ask for."""
    given = [name for name in ("url", "imagelink") if name in (case.query or {})]
    if not case.meta.generation.mode.is_positive or not given:
        return case
    seed = sum(map(len, map(str, case.query.values())))
    if seed % 5:
        for name in given[1:]:
            del case.query[name]
        case.query[given[0]] = URLS[seed % len(URLS)]
    return case
