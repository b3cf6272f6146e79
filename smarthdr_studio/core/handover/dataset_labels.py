"""What a scene is learned from, as files other people's training code reads."""

from pathlib import Path
from typing import Any, Final, Literal

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.file_checksum import file_checksum
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.frames import decode_ground_truth
from smarthdr_studio.core.handover.dataset_frames import Way, put_file
from smarthdr_studio.core.handover.tables import below
from smarthdr_studio.core.image_headers import sniff
from smarthdr_studio.core.images import (
    image_size,
    read_radiance,
    write_radiance_exr,
    write_radiance_hdr,
)
from smarthdr_studio.core.journal import SceneState, Status
from smarthdr_studio.core.label_files import check_label
from smarthdr_studio.core.masking import trust
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.pseudo_label import PseudoLabel, read_pseudo_label
from smarthdr_studio.core.radiance import Floats

Suffix = Literal["hdr", "exr"]

TRUSTED: Final = "trusted.png"
PERSON: Final = "person.png"


def put_label(
    project: Project, scene: Scene, folder: AnyPath, *, suffix: Suffix, way: Way
) -> dict[str, Any] | None:
    """Put the scene's label into `folder` as HDRImg; says what it is, None where there is none.

    A promoted label gets its trust mask beside it, and what a person painted. Raises LabelError,
    BadScene or UnreadableImage where a file is gone or damaged, and OSError where the folder
    cannot be written.
    """
    folder = Path(folder)
    state, target = project.state(scene.id), folder / f"HDRImg.{suffix}"
    if state.status is Status.PROMOTED:
        return _put_promoted(project, scene, state, target)
    if state.status not in (Status.GROUND_TRUTH, Status.TEST) or scene.ground_truth is None:
        return None
    source = scene.ground_truth
    if state.truth is not None:
        check_label(source, state.truth_checksum, brought=True)
    home = project.dataset if state.truth is None else project.folder
    told = {"file": target.name, "from": below(home, source)}
    if _can_stay(scene, source, suffix=suffix):
        # What lies in the project may be cleaned up one day, so it is never linked.
        how: str = put_file(source, target, way="copy" if state.truth is not None else way)
    else:
        _write(target, decode_ground_truth(scene).astype(np.float32))
        how = "converted"
    brought = "a ground truth that was brought" if state.truth else "the dataset's ground truth"
    return {**told, "is": brought, "how": how, "sha256": file_checksum(target)}


def _put_promoted(
    project: Project, scene: Scene, state: SceneState, target: Path
) -> dict[str, Any]:
    source = project.folder / str(state.label)
    check_label(source, state.checksum)
    label = read_pseudo_label(source, expect=(scene.height, scene.width))
    trusted = trusted_pixels(label, whole=state.whole)
    _write(target, label.hdr.astype(np.float32))
    _write_mask(target.with_name(TRUSTED), np.where(trusted, 255, 0).astype(np.uint8))
    of = label.provenance
    told = {
        "file": target.name,
        "is": "a promoted pseudo-label",
        "from": state.label,
        "source_sha256": state.checksum,
        "sha256": file_checksum(target),
        "trust_mask": TRUSTED,
        "trusted_share": float(trusted.mean()),
        "whole": state.whole,
        "run": of.run,
        "round": of.round,
        "epoch": of.epoch,
        "checkpoint": of.checkpoint,
        "network": of.network,
        "made": of.made,
        "tau_patch": of.masks.tau_patch,
        "tau_pixel": of.masks.tau_pixel,
    }
    if label.person is not None:
        shades = np.array([0, 128, 255], np.uint8)  # distrust, neither, trust
        _write_mask(target.with_name(PERSON), shades[np.sign(label.person).astype(np.intp) + 1])
        told["person_mask"] = PERSON
    return told


def trusted_pixels(label: PseudoLabel, *, whole: bool) -> npt.NDArray[np.bool_]:
    """H×W, True where the loss counts a promoted label, with the masks it was frozen with."""
    if whole:
        return np.ones(label.sigma.shape, bool)
    of = label.provenance
    found: npt.NDArray[np.bool_] = trust(
        label.sigma,
        of.masks,
        patch_range=of.patch_range,
        pixel_range=of.pixel_range,
        person=label.person,
    ).trusted
    return found


def _can_stay(scene: Scene, source: Path, *, suffix: Suffix) -> bool:
    """Whether a ground truth is what is asked for already, after making sure it can be read."""
    if not source.is_file() or image_size(source) != (scene.height, scene.width):
        decode_ground_truth(scene)  # says what is wrong
    with source.open("rb") as stream:
        kind = sniff(stream)
    if kind != suffix or scene.ground_truth_gain != 1:
        return False
    return bool(read_radiance(source).max() <= 1)


def _write(path: Path, radiance: Floats) -> None:
    if path.suffix == ".hdr":
        write_radiance_hdr(path, radiance)
        return
    try:
        write_radiance_exr(path, radiance)
    except RuntimeError as error:  # what the library makes of a full disk
        raise OSError(str(error).partition("\n")[0]) from None


def _write_mask(path: Path, mask: npt.NDArray[np.uint8]) -> None:
    done, encoded = cv2.imencode(".png", np.ascontiguousarray(mask))
    if not done:
        raise ValueError(f"OpenCV cannot write {mask.dtype} {mask.shape} as PNG")
    path.write_bytes(encoded.tobytes())
