"""Sizes of pictures from their first bytes, and OpenAI's tiles."""

from __future__ import annotations

import base64
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm.tokens.images import image_size, image_tokens


def data_url(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def png(width: int, height: int) -> bytes:
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0\0\0"


def jpeg(width: int, height: int, preface: int = 0) -> bytes:
    thumbnails = b"".join(b"\xff\xe1" + struct.pack(">H", 65535) + b"\0" * 65533 for _ in range(preface))
    tables = b"\xff\xc4" + struct.pack(">H", 10) + b"\xff" * 8  # DHT has a number among those of the frames
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 17, 8, height, width, 3) + b"\0" * 9
    return b"\xff\xd8" + thumbnails + tables + frame + b"\xff\xd9"


def webp(kind: bytes, rest: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 99) + b"WEBP" + kind + struct.pack("<I", 99) + rest


def lossy(width: int, height: int) -> bytes:
    return webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height))


def lossless(width: int, height: int) -> bytes:
    return webp(b"VP8L", b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14))


def extended(width: int, height: int) -> bytes:
    return webp(b"VP8X", b"\0\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little"))


FORMATS = [png, gif, jpeg, lossy, lossless, extended]


@pytest.mark.parametrize("make", FORMATS)
@given(width=st.integers(1, 16383), height=st.integers(1, 16383))
def test_sizes(make, width: int, height: int) -> None:
    assert image_size(data_url(make(width, height))) == (width, height)


def test_a_long_preface_of_a_jpeg() -> None:
    assert image_size(data_url(jpeg(640, 480, preface=4), "jpeg")) == (640, 480)
    assert image_size(data_url(jpeg(640, 480, preface=99), "jpeg")) is None  # 6 MB of it are not read


@pytest.mark.parametrize(
    ("width", "height", "tokens"),
    [
        (1, 1, 255),
        (512, 512, 255),
        (513, 512, 425),
        (1024, 1024, 765),  # OpenAI's examples
        (2048, 4096, 1105),
        (4096, 8192, 1105),
        (10_000, 10, 85 + 170 * 4),
    ],
)
def test_tiles(width: int, height: int, tokens: int) -> None:
    for detail in ("high", "auto", None):
        assert image_tokens(data_url(png(width, height)), detail) == tokens
    assert image_tokens(data_url(png(width, height)), "low") == 85


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/cat.png", "", "data:", "data:,", "data:image/png;base64,", "data:image/png;base64,iVBO",
        "data:image/png;base64,###!", "data:image/png,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ",
        data_url(b"BM no format that we know" * 9), data_url(png(0, 5)), data_url(jpeg(5, 5)[:12]), data_url(b"\xff\xd8" * 9),
        data_url(lossy(5, 5)[:20]), data_url(webp(b"VP9 ", b"\0" * 30)), data_url(extended(5, 5)[:22]), data_url(lossless(5, 5)[:23]),
    ],
)  # fmt: skip
def test_a_size_that_cannot_be_seen(url: str) -> None:
    """It is not fetched."""
    assert image_size(url) is None
    assert image_tokens(url) == 250


@given(
    st.sampled_from([b"", b"\x89PNG", b"GIF89a", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBPVP8X", b"RIFF\0\0\0\0WEBPVP8 "]),
    st.binary(max_size=60),
)
def test_no_bytes_are_too_strange(start: bytes, rest: bytes) -> None:
    size = image_size(data_url(start + rest))
    assert size is None or min(size) > 0
    assert image_tokens(data_url(start + rest)) > 0
