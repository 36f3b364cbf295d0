"""Writes protocol buffers: a message is the bytes of its fields, one after the other."""

import struct

VARINT, BYTES, FIXED_32 = 0, 2, 5


def varint(value):
    """A whole number; a negative one as 64 bits."""
    value &= 2**64 - 1
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    return bytes(written) + bytes([value])


def number(field, value):
    return varint(field << 3 | VARINT) + varint(value)


def real(field, value):
    """A number of 32 bits."""
    return varint(field << 3 | FIXED_32) + struct.pack("<f", value)


def message(field, *parts):
    """Texts and messages: their parts are bytes, or texts."""
    content = b"".join(part.encode() if isinstance(part, str) else part for part in parts)
    return varint(field << 3 | BYTES) + varint(len(content)) + content


def numbers(field, values):
    """A list of whole numbers; nothing where it is empty."""
    return message(field, *map(varint, values)) if values else b""


def entries(field, values):
    """A map from texts to messages, in the order of Google's library: one that another begins with is after it."""
    ordered = sorted(values, key=lambda key: f"{key}\uffff")
    return b"".join(message(field, message(1, key), message(2, values[key])) for key in ordered)
