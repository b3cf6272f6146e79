"""The frames of a scene in another folder: linked, copied, or made TIFF where they are not."""

import shutil
from pathlib import Path
from typing import Final, Literal

from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.errors import BadScene, UnreadableImage
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.handover.tables import below
from smarthdr_studio.core.image_headers import is_whole, sniff
from smarthdr_studio.core.images import image_size, read_frame, write_frame_tiff

Way = Literal["link", "copy"]
How = Literal["link", "hard link", "copy", "converted"]

FRAME_NAMES: Final = ("1.tif", "2.tif", "3.tif")


def put_frames(
    scene: Scene, folder: AnyPath, *, dataset: AnyPath, way: Way
) -> list[dict[str, str]]:
    """Put under, reference and over frame into `folder` as FRAME_NAMES; says how each got there.

    A frame that is no TIFF, whatever it is called, becomes a 16-bit TIFF of exactly its values.
    Raises BadScene or UnreadableImage where a frame is gone, damaged or of another size, and
    OSError where the folder cannot be written.
    """
    folder = Path(folder)
    dataset = Path(dataset)
    told = []
    for source, name in zip(scene.frames, FRAME_NAMES, strict=True):
        kind = _checked(source, scene)
        how: How = "converted"
        if kind == "tiff":
            how = put_file(source, folder / name, way=way)
        else:
            write_frame_tiff(folder / name, read_frame(source))
        told.append({"file": name, "from": below(dataset, source), "how": how})
        if how == "converted":
            told[-1]["was"] = kind
    return told


def put_file(source: AnyPath, target: AnyPath, *, way: Way) -> How:
    """Link or copy one file; links are relative, and hard or copies where there can be none.

    Raises OSError.
    """
    source = Path(source)
    target = Path(target)
    if way == "link":
        for how, link in (("link", _link), ("hard link", _hard_link)):
            try:
                link(source, target)
            except (OSError, NotImplementedError):
                continue
            return "link" if how == "link" else "hard link"
    shutil.copyfile(source, target)
    return "copy"


def _link(source: Path, target: Path) -> None:
    """A symbolic link that says the way from the folder it lies in."""
    real = source.parent.resolve() / source.name
    home = target.parent.resolve()
    shared = next(folder for folder in (home, *home.parents) if real.is_relative_to(folder))
    up = len(home.relative_to(shared).parts)
    target.symlink_to(Path(*[".."] * up) / real.relative_to(shared))


def _hard_link(source: Path, target: Path) -> None:
    target.hardlink_to(source)


def _checked(path: Path, scene: Scene) -> str:
    """The kind of a frame's file, once it is sure that it can be used."""
    if not path.is_file():
        raise BadScene(f"{path}: is gone; put the dataset back where the project knows it")
    height, width = image_size(path)
    if (height, width) != (scene.height, scene.width):
        raise BadScene(
            f"{path}: is now {width}×{height}, but was {scene.width}×{scene.height} when the "
            "project was made; put the first file back"
        )
    with path.open("rb") as stream:
        kind = sniff(stream)
        whole = kind is not None and is_whole(stream, kind=kind)
    if kind is None or not whole:
        raise UnreadableImage(f"{path}: is truncated or damaged; copy it again from its source.")
    return kind
