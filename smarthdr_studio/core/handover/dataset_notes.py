"""The notes beside an exported dataset: a README for people, a manifest for programs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any, Final

from smarthdr_studio import __version__
from smarthdr_studio.core.authorship import now
from smarthdr_studio.core.project import Project

FORMAT: Final = 1
_RADIANCE: Final = (
    "Linear RGB in [0, 1]; 1 is what clips the first frame, so camera values of frame i are "
    "(radiance x 2^EV_i)^(1/2.2), clipped, with EV_i from exposure.txt."
)
_README: Final = """{name}: the curated set of a SmartHDR Studio project, {exported}

{counts}

Layout of Kalantari and Ramamoorthi (2017):
  Training/ID, Test/ID{unlabelled}
    1.tif 2.tif 3.tif   under, reference and over frame, camera values with gamma 1/2.2
    exposure.txt        their exposure values, counted from the first frame
    HDRImg.{suffix}          the label, aligned to 2.tif; a test scene may have none
    trusted.png         beside promoted labels: 255 where the label can be trusted, 0 elsewhere;
                        a scene without it is to be trusted everywhere
    person.png          where somebody painted: 255 trust forced, 0 distrust forced, 128 neither

{radiance}
{precision}
A promoted label is a pseudo-label: what a network made of the frames. Count only its trusted
pixels in the loss. manifest.json says for every scene what it is, where its files are from, with
which run, round, checkpoint and thresholds its label was made, and every checksum.
{links}"""


def manifest(project: Project, scenes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Everything about an exported dataset as plain values."""
    return {
        "format": FORMAT,
        "made_by": f"SmartHDR Studio {__version__}",
        "exported": now(),
        "project": project.name,
        "dataset": project.dataset.name,
        "radiance": _RADIANCE,
        "scenes": list(scenes),
    }


def readme(of: Mapping[str, Any], *, suffix: str) -> str:
    """The same for people, in a page."""
    scenes = of["scenes"]
    counts = Counter(scene["status"] for scene in scenes)
    hows = Counter(frame["how"] for scene in scenes for frame in scene["frames"])
    linked = hows["link"] + hows["hard link"]
    has_unlabelled = any(scene["folder"].startswith("Unlabelled/") for scene in scenes)
    links = _LINKS if hows["link"] else _HARD_LINKS if linked else ""
    converted = _CONVERTED.format(count=hows["converted"]) if hows["converted"] else ""
    return _README.format(
        name=of["project"],
        exported=of["exported"],
        counts=", ".join(f"{count} {status}" for status, count in sorted(counts.items())) + ".",
        unlabelled=", and Unlabelled/ID without a label" if has_unlabelled else "",
        suffix=suffix,
        radiance=fill(_RADIANCE, 96),
        precision=_PRECISION[suffix],
        links=links + converted,
    )


_PRECISION: Final = {
    "hdr": "HDRImg.hdr is RGBE: 8 bits of mantissa, exact to about 0.4 % of the brightest channel.",
    "exr": "HDRImg.exr holds half floats: 11 bits of mantissa.",
}
_LINKS: Final = """
Frames are symbolic links into the dataset they are from: export with copies to hand this folder on.
"""
_HARD_LINKS: Final = """
Frames are hard links: they share their bytes with the dataset they are from, so change none.
"""
_CONVERTED: Final = """
Frames that were no TIFF files, {count} of them, were written as 16-bit TIFF, value for value.
"""
