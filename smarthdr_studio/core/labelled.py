"""Which scenes of a dataset start with their ground truth."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from smarthdr_studio.core.bracket import Catalogue
from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.files import AnyPath

FILE_NAME: Final = "labelled.txt"
_FEW: Final = 5  # as the paper: 5 of 74


def labelled_by_default(catalogue: Catalogue) -> tuple[str, ...]:
    """The ids in the dataset's labelled.txt, else five spread evenly, else all that can be.

    Five where every training scene has a ground truth, because then the few-label case is
    being studied; where only some have one, those are the labels there are. Listed scenes that
    could not be loaded are passed over: the catalogue says why it skipped them.
    """
    train = sorted(scene.id for scene in catalogue.scenes if scene.split == "train")
    with_truth = {scene.id for scene in catalogue.scenes if scene.ground_truth is not None}
    candidates = [name for name in train if name in with_truth]
    if (listed := catalogue.root / FILE_NAME).is_file():
        return tuple(name for name in read_labelled(listed) if name in candidates)
    if len(candidates) < len(train) or len(train) <= _FEW:
        return tuple(candidates)
    return tuple(train[round(i * (len(train) - 1) / (_FEW - 1))] for i in range(_FEW))


def read_labelled(path: AnyPath, *, catalogue: Catalogue | None = None) -> tuple[str, ...]:
    """Scene ids from a text file, one a line, # begins a comment; repeated ones count once.

    With a catalogue the ids are checked against it. Raises ProjectError.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProjectError(f"{path}: cannot be read ({reason}); give a list of ids") from None
    except UnicodeDecodeError:
        raise ProjectError(f"{path}: not a text file; give one scene id a line in UTF-8") from None
    names = (line.partition("#")[0].strip() for line in lines)
    labelled = tuple(dict.fromkeys(name for name in names if name))
    if catalogue is not None:
        refuse_unusable(catalogue, labelled, named_in=path)
    return labelled


def refuse_unusable(
    catalogue: Catalogue, labelled: Collection[str], *, named_in: AnyPath | None = None
) -> None:
    """Raises ProjectError if an id is unknown, a test scene, or has no ground truth."""
    named_in = None if named_in is None else Path(named_in)
    by_id = {scene.id: scene for scene in catalogue.scenes}
    source = named_in or catalogue.root
    if unknown := [name for name in labelled if name not in by_id]:
        raise ProjectError(
            f"{source}: {_listed(unknown)} is no scene of {catalogue.root}; "
            f"its scenes are {_listed(sorted(by_id))}"
        )
    if tests := [name for name in labelled if by_id[name].split == "test"]:
        raise ProjectError(
            f"{source}: {_listed(tests)} is for testing only; label training scenes instead"
        )
    if without := [name for name in labelled if by_id[name].ground_truth is None]:
        raise ProjectError(f"{source}: {_listed(without)} has no ground truth; leave it unlabelled")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
