"""Picture files written by hand, byte by byte, so that no library is both writer and reader."""

import struct
import zlib

import cv2
import numpy as np


def noise(bits=16, height=24, width=37, channels=3):
    rng = np.random.default_rng(7)
    kind = {8: np.uint8, 16: np.uint16, 32: np.uint32}[bits]
    return rng.integers(0, 2**bits, (height, width, channels)).astype(kind)


def light(height=24, width=37):
    rng = np.random.default_rng(3)
    return np.exp(rng.normal(0, 2, (height, width, 3))).astype(np.float32)


_FORMS = {"u": 1, "i": 2, "f": 3}


def tiff(segments, *, height, width, dtype, samples=3, order="<", tags=()):
    """A TIFF of one strip per segment of bytes; `tags` of (tag, type, values) add or replace."""
    dtype = np.dtype(dtype)
    per_plane = len(segments) if not _planes(tags) else len(segments) // samples
    found = {
        256: (4, [width]),
        257: (4, [height]),
        258: (3, [8 * dtype.itemsize] * samples),
        259: (3, [1]),
        262: (3, [2 if samples >= 3 else 1]),
        273: (4, None),
        277: (3, [samples]),
        278: (4, [-(-height // per_plane)]),
        279: (4, [len(each) for each in segments]),
        339: (3, [_FORMS[dtype.kind]] * samples),
    }
    found |= {tag: (kind, list(values)) for tag, kind, values in tags}
    at = 8
    starts = []
    for each in segments:
        starts.append(at)
        at += len(each) + len(each) % 2
    found[273] = (4, starts)
    body = b"".join(each + b"\0" * (len(each) % 2) for each in segments)
    directory = 8 + len(body)
    after = directory + 2 + 12 * len(found) + 4
    table, extra = b"", b""
    for tag, (kind, values) in sorted(found.items()):
        packed = _packed(kind, values, order)
        count = len(values) // 2 if kind == 5 else len(values)
        inline = packed.ljust(4, b"\0")
        if len(packed) > 4:
            inline = struct.pack(order + "I", after + len(extra))
            extra += packed + b"\0" * (len(packed) % 2)
        table += struct.pack(order + "HHI", tag, kind, count) + inline
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", directory)
    return head + body + struct.pack(order + "H", len(found)) + table + b"\0" * 4 + extra


def _planes(tags):
    return any(tag == 284 and list(values) == [2] for tag, _, values in tags)


def _packed(kind, values, order):
    code = {1: "B", 3: "H", 4: "I", 5: "I", 7: "B"}[kind]
    return struct.pack(f"{order}{len(values)}{code}", *values)


def plain_tiff(pixels, *, order="<", tags=(), pack=bytes, rows=7):
    """A TIFF of pixels H×W×C in strips of a few rows, each packed by `pack`."""
    height, width, samples = pixels.shape
    raw = pixels.astype(pixels.dtype.newbyteorder(order))
    strips = [pack(raw[k : k + rows].tobytes()) for k in range(0, height, rows)]
    more = [(278, 4, [rows]), *tags]
    return tiff(
        strips, height=height, width=width, dtype=pixels.dtype, samples=samples, order=order,
        tags=more,
    )  # fmt: skip


def planar_tiff(pixels, *, order="<", tags=(), pack=bytes, rows=7):
    """The same with each channel on its own, one after the other."""
    height, width, samples = pixels.shape
    raw = pixels.astype(pixels.dtype.newbyteorder(order))
    strips = [
        pack(raw[k : k + rows, :, channel].tobytes())
        for channel in range(samples)
        for k in range(0, height, rows)
    ]
    more = [(284, 3, [2]), (278, 4, [rows]), *tags]
    return tiff(
        strips, height=height, width=width, dtype=pixels.dtype, samples=samples, order=order,
        tags=more,
    )  # fmt: skip


def lzw(raw):
    """TIFF's LZW with codes of 9 bits alone: the table is cleared before it needs 10."""
    codes = []
    for start in range(0, len(raw), 200):
        codes += [256, *raw[start : start + 200]]
    codes.append(257)
    bits = "".join(f"{code:09b}" for code in codes)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(pixels, *chunks):
    """A PNG of H×W×C in 8 or 16 bits; `chunks` of (name, data) stand before the pixels."""
    height, width, channels = pixels.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    raw = pixels.astype(pixels.dtype.newbyteorder(">"))
    lines = b"".join(b"\0" + raw[row].tobytes() for row in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8 * pixels.dtype.itemsize, kind, 0, 0, 0)
    parts = [chunk(b"IHDR", head), *(chunk(*each) for each in chunks)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IDAT", zlib.compress(lines)) + chunk(
        b"IEND", b""
    )  # fmt: skip


def icc(curve):
    """An ICC profile that has nothing but three times the same curve."""
    names = (b"rTRC", b"gTRC", b"bTRC")
    at = 128 + 4 + 12 * len(names)
    table = b"".join(struct.pack(">4sII", name, at, len(curve)) for name in names)
    body = struct.pack(">I", len(names)) + table + curve
    return struct.pack(">I", 128 + len(body)) + b"\0" * 124 + body


def curv(*numbers):
    return b"curv\0\0\0\0" + struct.pack(f">I{len(numbers)}H", len(numbers), *numbers)


def para(form, *numbers):
    fixed = [round(number * 65536) for number in numbers]
    return b"para\0\0\0\0" + struct.pack(f">HH{len(fixed)}i", form, 0, *fixed)


def rgbe(pixels):
    """H×W×4 bytes of red, green, blue and exponent of float pixels."""
    largest = pixels.max(axis=-1)
    _, exponent = np.frexp(largest)
    scaled = np.floor(pixels * np.ldexp(1.0, 8 - exponent)[..., None])
    bytes_ = np.dstack([scaled, exponent + 128]).astype(np.uint8)
    return np.where(largest[..., None] > 0, bytes_, 0).astype(np.uint8)


def of_rgbe(coded):
    scale = np.ldexp(1.0, coded[..., 3].astype(int) - 136)
    return coded[..., :3] * np.where(coded[..., 3] > 0, scale, 0)[..., None]


def hdr(coded, *lines, size=None, end=b"\n", data=None):
    """A Radiance file of H×W×4 bytes, not packed unless `data` is."""
    height, width = coded.shape[:2]
    size = size or f"-Y {height} +X {width}".encode()
    head = [b"#?RADIANCE", *lines]
    if not any(line.startswith(b"FORMAT") for line in lines):
        head.append(b"FORMAT=32-bit_rle_rgbe")
    return end.join([*head, b"", size]) + end + (coded.tobytes() if data is None else data)


def new_rle(coded):
    """Rows packed as Radiance does today, here as literal stretches of at most 128."""
    rows = []
    for row in coded:
        packed = bytes([2, 2, len(row) >> 8, len(row) & 255])
        for channel in range(4):
            values = row[:, channel].tobytes()
            for k in range(0, len(values), 128):
                packed += bytes([len(values[k : k + 128])]) + values[k : k + 128]
        rows.append(packed)
    return b"".join(rows)


def exr(channels, *, data, display, attributes=(), flags=0):
    """An uncompressed EXR of scanlines; channels by name as (rows of float32, sampling).

    Windows are (left, top, right, bottom); `attributes` are (name, type, bytes).
    """
    found = [
        (b"channels", b"chlist", b"".join(
            name.encode() + b"\0" + struct.pack("<iB3xii", 2, 0, step, step)
            for name, (_, step) in sorted(channels.items())
        ) + b"\0"),
        (b"compression", b"compression", b"\0"),
        (b"dataWindow", b"box2i", struct.pack("<4i", *data)),
        (b"displayWindow", b"box2i", struct.pack("<4i", *display)),
        (b"lineOrder", b"lineOrder", b"\0"),
        (b"pixelAspectRatio", b"float", struct.pack("<f", 1)),
        (b"screenWindowCenter", b"v2f", struct.pack("<2f", 0, 0)),
        (b"screenWindowWidth", b"float", struct.pack("<f", 1)),
        *attributes,
    ]  # fmt: skip
    head = b"\x76\x2f\x31\x01" + struct.pack("<I", 2 | flags)
    for name, kind, value in found:
        head += name + b"\0" + kind + b"\0" + struct.pack("<I", len(value)) + value
    head += b"\0"
    lines = []
    for row in range(data[1], data[3] + 1):
        line = b""
        for _, (plane, step) in sorted(channels.items()):
            if row % step == 0:
                line += plane[(row - -(-data[1] // step) * step) // step].astype("<f4").tobytes()
        lines.append(struct.pack("<iI", row, len(line)) + line)
    table, at = b"", len(head) + 8 * len(lines)
    for line in lines:
        table += struct.pack("<Q", at)
        at += len(line)
    return head + table + b"".join(lines)


XMP = b"http://ns.adobe.com/xap/1.0/\0"


def jpeg(value, size):
    fine = [cv2.IMWRITE_JPEG_QUALITY, 100, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111]
    pixels = np.broadcast_to(np.uint8(value), (*size, 3))[..., ::-1]
    return cv2.imencode(".jpg", np.ascontiguousarray(pixels), fine)[1].tobytes()


def _with_block(raw, marker, block):
    return raw[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(block) + 2) + block + raw[2:]


def gain_map_xmp(**told):
    words = " ".join(f'hdrgm:{name}="{value}"' for name, value in told.items())
    return XMP + f'<rdf:Description hdrgm:Version="1.0" {words}/>'.encode()


def gain_map_jpeg(
    block, *, marker=0xE1, base=(200, 120, 60), value=(180,) * 3, base_size=(24, 37),
    map_size=(12, 19),
):  # fmt: skip
    """A JPEG of one colour, and behind it one with the block that tells it is its gain map."""
    return jpeg(base, base_size) + _with_block(jpeg(value, map_size), marker, block)
