"""A dataset folder as a catalogue of scenes, and of what was left out and why."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from smarthdr_studio.core.bracket import Catalogue, Scene, Skipped
from smarthdr_studio.core.errors import BadDataset, StudioError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.layouts.candidates import Candidate, find_candidates
from smarthdr_studio.core.layouts.inspection import inspect
from smarthdr_studio.core.layouts.naming import natural_key, scene_ids, split_of

Progress = Callable[[int, int], None]


def find_scenes(dataset: AnyPath, *, progress: Progress | None = None) -> Catalogue:
    """Every scene in `dataset`, whichever published layout it has (METHOD §10); nothing is written.

    The folder may itself be one scene. Each file is decoded once, to check it: about as long as
    reading the set. `progress` hears how many of how many are done and may raise to stop. Raises
    BadDataset where no scene can be used; a scene that cannot is in `skipped`, with its sentence.
    """
    dataset = Path(dataset)
    _is_folder(dataset)
    candidates = find_candidates(dataset)
    if not candidates:
        raise BadDataset(
            f"{dataset}: holds no scene; a scene is a folder with three frames and exposure.txt."
        )
    found = _inspect_all(candidates, root=dataset, progress=progress)
    scenes = [each for each in found if isinstance(each, Scene)]
    skipped = [each for each in found if isinstance(each, Skipped)]
    if not scenes:
        more = f" (and {len(skipped) - 1} more like it)" if len(skipped) > 1 else ""
        raise BadDataset(f"{dataset}: no scene can be used{more}: {skipped[0].reason}")
    return Catalogue(
        root=dataset,
        scenes=tuple(sorted(scenes, key=lambda each: natural_key(each.id))),
        skipped=tuple(sorted(skipped, key=lambda each: natural_key(str(each.path)))),
    )


def _is_folder(dataset: Path) -> None:
    if not dataset.exists():
        raise BadDataset(f"{dataset}: there is no such folder; give the one that holds the scenes.")
    if not dataset.is_dir():
        raise BadDataset(f"{dataset}: is a file; give the folder that holds the scenes.")


def _inspect_all(
    candidates: Sequence[Candidate], *, root: Path, progress: Progress | None
) -> list[Scene | Skipped]:
    ids = scene_ids([each.parts for each in candidates], root_name=root.resolve().name)
    # One scene in Hu's naming settles what its neighbours without ground truth are.
    hu = {each.folder.parent for each in candidates if each.layout == "hu"}

    def look(index: int) -> Scene | Skipped:
        one = candidates[index]
        if one.layout == "kalantari-wu" and one.folder.parent in hu:
            one = replace(one, layout="hu")
        try:
            return inspect(one, scene_id=ids[index], split=split_of(one.parts, layout=one.layout))
        except StudioError as error:
            return Skipped(path=one.folder, reason=str(error))

    # Decoding leaves the interpreter lock, so threads help; each holds a few frames in memory.
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        found: list[Scene | Skipped] = []
        try:
            for done, result in enumerate(pool.map(look, range(len(candidates))), start=1):
                found.append(result)
                if progress is not None:
                    progress(done, len(candidates))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return found
