"""Whatever bytes a file holds, every reader answers a picture or one sentence, and soon."""

import random
import zlib

import cv2
import numpy as np
import pytest
from by_night import NIGHT, SEED
from made_pictures import (
    curv,
    exr,
    gain_map_jpeg,
    gain_map_xmp,
    hdr,
    icc,
    light,
    lzw,
    new_rle,
    noise,
    plain_tiff,
    planar_tiff,
    png,
    rgbe,
)

from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.imaging.exposure import evs_from_exif
from smarthdr_studio.core.imaging.image_files import (
    frame_orientations,
    image_size,
    read_frame,
    read_layers,
    read_radiance,
)

WINDOW = (0, 0, 36, 23)
COLOURS = {name: (light()[..., i], 1) for i, name in enumerate("RGB")}
CHROMA = {
    "Y": (light()[..., 0], 1),
    "RY": (light()[::2, ::2, 1], 2),
    "BY": (light()[::2, ::2, 2], 2),
}
PROFILE = zlib.compress(icc(curv()))
WHOLE = {
    "plain TIFF": plain_tiff(noise()),
    "LZW TIFF": plain_tiff(noise(), pack=lzw, tags=[(259, 3, [5])]),
    "planar TIFF": planar_tiff(noise(), pack=lzw, tags=[(259, 3, [5]), (274, 3, [6])]),
    "half TIFF": planar_tiff((noise() / 65535).astype(np.float16)),
    "deflate TIFF": planar_tiff(noise(8), pack=zlib.compress, tags=[(259, 3, [8])]),
    "Lab TIFF": plain_tiff(noise(8), tags=[(262, 3, [8]), (34675, 7, icc(curv()))]),
    "PNG": png(noise(), (b"gAMA", b"\0\1\x86\xa0"), (b"iCCP", b"a\0\0" + PROFILE)),
    "JPEG": cv2.imencode(".jpg", noise(8))[1].tobytes(),
    "gain map JPEG": gain_map_jpeg(gain_map_xmp(GainMapMax=3, Gamma=1.1)),
    "flat Radiance": hdr(rgbe(light()), b"EXPOSURE=2", b"PRIMARIES=.7 .2 .2 .7 .1 .1 .3 .3"),
    "Radiance": hdr(rgbe(light()), data=new_rle(rgbe(light()))),
    "PFM": b"PF\n37 24\n-1\n" + light().tobytes(),
    "EXR": exr(COLOURS, data=WINDOW, display=WINDOW),
    "chroma EXR": exr(CHROMA, data=WINDOW, display=(2, 2, 30, 30)),
    "RAW": b"FUJIFILMCCD-RAW".ljust(300, b"\1"),
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".ljust(300, b"\0"),
    "AVIF": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf".ljust(300, b"\0") + b"ispe" + b"\0\0\0\1" * 3,
    "JPEG XL": b"\xff\x0a\xfa\x7f\x81\x80\x08\x08".ljust(300, b"\3"),
}  # fmt: skip
READERS = (read_frame, read_radiance, read_layers, lambda p: frame_orientations([p, p, p]))
EXTREMES = (b"\xff" * 4, b"\0" * 4, b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\xff" * 8, b"\1\0\0\0")


def mutated(raw, rng):
    """Cut, or changed in a few bytes or words, mostly within its header."""
    if rng.random() < 0.25:
        return raw[: rng.randrange(len(raw))]
    spoilt = bytearray(raw)
    reach = min(len(raw), 400) if rng.random() < 0.6 else len(raw)
    # The directory of these TIFFs stands at their end.
    behind = len(raw) - reach if raw[:2] == b"II" and rng.random() < 0.7 else 0
    for _ in range(rng.randrange(1, 5)):
        at = behind + rng.randrange(reach)
        match rng.randrange(3):
            case 0:
                spoilt[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                word = rng.choice(EXTREMES)
                spoilt[at : at + len(word)] = word
            case _:
                spoilt[at:at] = rng.randbytes(rng.randrange(1, 20))
    return bytes(spoilt)


def sentence_or_picture(read, path):
    """Whether it was a sentence."""
    try:
        read(path)
    except StudioError as error:
        said = str(error)
        assert said.startswith(str(path))
        assert "\n" not in said
        assert "Traceback" not in said
        return True
    return False


def mutations(tmp_path, seeds):
    """So many files, and how many sentences were said of them."""
    sentences = 0
    for seed in seeds:
        rng = random.Random(seed)
        name = sorted(WHOLE)[seed % len(WHOLE)]
        path = tmp_path / f"{seed} {name}"
        path.write_bytes(mutated(WHOLE[name], rng))
        for read in (image_size, rng.choice(READERS), lambda p: evs_from_exif([p])):
            sentences += sentence_or_picture(read, path)
        path.unlink()
    return len(seeds), sentences


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(5))
def test_no_mutated_file_gives_more_than_a_sentence(tmp_path, part):
    mutations(tmp_path, range(100 * part, 100 * part + 100))


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.skipif(not NIGHT, reason="thousands of files, by night only")
def test_nor_do_many_more(tmp_path, record_property):
    files, sentences = mutations(tmp_path, range(1000 + 500 * SEED, 1500 + 500 * SEED))
    record_property("mutated files", files)
    record_property("sentences about them", sentences)


@pytest.mark.parametrize("name", [each for each in WHOLE if each.split()[-1] in {"TIFF", "PNG"}])
def test_the_files_that_are_mutated_can_be_read(tmp_path, name):
    path = tmp_path / "a"
    path.write_bytes(WHOLE[name])
    assert (read_radiance if "half" in name else read_frame)(path).shape[2] == 3
    assert sorted(image_size(path)) == [24, 37]
