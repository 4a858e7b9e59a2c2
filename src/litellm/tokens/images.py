"""How many tokens a picture is, by OpenAI's published rule.

Nothing is fetched: the size is read from the bytes of a data URL.
"""

from __future__ import annotations

import base64
import binascii
import math
import struct
from collections.abc import Iterator

# For a picture whose size we cannot see.
UNSEEN = 250

_BASE, _TILE = 85, 170
# The size stands in the first bytes, except in a JPEG with a long preface (a thumbnail, a colour profile).
_HEAD = 512 * 1024


def image_tokens(url: str, detail: str | None = None) -> int:
    """Tokens of the picture at `url`: 85 for detail "low", else 85 and 170 for each tile of 512 pixels.

    The tiles are counted after it was scaled down to fit into 2048 × 2048 and until its shorter side is 768. A picture
    whose size is unknown, such as any at an http address, is 250.

    >>> image_tokens("https://example.com/cat.png"), image_tokens("https://example.com/cat.png", "low")
    (250, 85)
    """
    if detail == "low":
        return _BASE
    size = image_size(url)
    return UNSEEN if size is None else _BASE + _TILE * _tiles(*size)


def _tiles(width: int, height: int) -> int:
    scale = min(1.0, 2048 / max(width, height))
    scale = min(scale, 768 / min(width, height))
    return math.ceil(round(width * scale) / 512) * math.ceil(round(height * scale) / 512)


def image_size(url: str) -> tuple[int, int] | None:
    """(width, height) in pixels of a PNG, GIF, JPEG or WebP in a data URL; None if it cannot be read."""
    head, comma, data = url[: _HEAD * 2].partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        return None
    try:
        usable = data[:_HEAD]
        size = _read(base64.b64decode(usable[: len(usable) // 4 * 4]))
    except (binascii.Error, ValueError, struct.error, IndexError):
        return None
    return size if size and min(size) > 0 else None


def _read(data: bytes) -> tuple[int, int] | None:
    if data.startswith(b"\x89PNG"):
        return _two(">II", data, 16)
    if data.startswith(b"GIF8"):
        return _two("<HH", data, 6)
    if data.startswith(b"\xff\xd8"):
        return next(_jpeg_frames(data), None)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _webp(data)
    return None


def _two(layout: str, data: bytes, offset: int) -> tuple[int, int]:
    first, second = struct.unpack_from(layout, data, offset)
    return first, second


def _jpeg_frames(data: bytes) -> Iterator[tuple[int, int]]:
    """Walk the segments to the frame headers (SOF0 to SOF15; 0xC4, 0xC8 and 0xCC mean something else)."""
    offset = 2
    while offset + 9 <= len(data) and data[offset] == 0xFF:
        marker = data[offset + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = _two(">HH", data, offset + 5)
            yield width, height
        offset += 2 + int.from_bytes(data[offset + 2 : offset + 4])


def _webp(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8 ":
        width, height = _two("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        width, width_above, height, height_above = struct.unpack_from("<HBHB", data, 24)
        return (width_above << 16 | width) + 1, (height_above << 16 | height) + 1
    return None
