"""What every round of a run trusted, read from its small records; and past rounds' maps."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.bracket import Half
from smarthdr_studio.core.history import RunHistory, read_history, recorded_rounds, strip_now
from smarthdr_studio.core.masking import MaskSettings
from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.core.round_files import open_round_file, round_path
from smarthdr_studio.core.runs import RunFolder
from smarthdr_studio.studio.state import HeatStrip
from smarthdr_studio.studio.tasks import Report


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Replay:
    """The pseudo-label of one scene in a past round, and what the loss counted of it then.

    σ was kept as half floats, so a pixel that lies on a threshold may change sides.
    """

    hdr: Half
    sigma: Floats
    trusted: npt.NDArray[np.bool_] | None = None


def read_run_history(
    report: Report, *, project: Path, known: RunHistory | None = None
) -> RunHistory | None:
    """The history of the newest run that has records; what is in `known` is not read again."""
    report("reading the rounds of the last run", 0, 0)
    runs = project / "runs"
    folders = sorted(runs.iterdir(), reverse=True) if runs.is_dir() else []
    newest = next((folder for folder in folders if recorded_rounds(folder)), None)
    if newest is None:
        return None
    return read_history(
        RunFolder(newest),
        known=known if known is not None and known.run == newest.name else None,
        said=lambda done, total: report("reading the rounds of the last run", done, total),
    )


def read_replay(
    *,
    run_folder: RunFolder,
    round: int,  # noqa: A002 - the word of the house
    scene: str,
) -> Replay | None:
    """A scene in a past round; None where its maps are no longer kept or it took no part.

    Raises LabelError where the file is damaged.
    """
    path = round_path(run_folder.path, number=round)
    if not path.is_file():
        return None
    maps = open_round_file(path).get(scene)
    if maps is None or maps.sigma is None:
        return None
    # Copied, so that nothing on the screen hangs on a file that training may drop.
    return Replay(
        hdr=np.array(maps.hdr),
        sigma=maps.sigma.astype(np.float32),
        trusted=None if maps.trusted is None else np.array(maps.trusted),
    )


def strip_of_now(report: Report, *, history: RunHistory, masks: MaskSettings) -> HeatStrip:
    """The heat strip, had these masks been in use from the first round on."""
    words = "judging every round anew"
    return HeatStrip(
        run=history.run,
        rounds=tuple(record.round for record in history.records),
        scenes=history.scenes,
        shares=strip_now(history, masks, said=lambda done, total: report(words, done, total)),
        now=True,
    )
