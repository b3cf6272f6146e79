"""What the processes of a run agree upon when a round is made; only the first reads and writes."""

from collections.abc import Mapping
from pathlib import Path

from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.event_lines import event_of
from smarthdr_studio.core.events import RoundFinished, as_json
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.round_records import history_path, write_record
from smarthdr_studio.core.runs import RunFolder
from smarthdr_studio.learning.labelling import LabelledPool
from smarthdr_studio.learning.previews import write_previews
from smarthdr_studio.learning.ranks import Ranks
from smarthdr_studio.learning.roster import Roster
from smarthdr_studio.learning.rounds import round_path, write_round


def agreed_roster(
    found: Roster, scenes: Mapping[str, Scene], *, ranks: Ranks, project: AnyPath
) -> tuple[Roster, Mapping[str, Scene]]:
    """The roster the first process has read, whatever was decided while the others read theirs.

    `scenes` are those this process has read; they come back with the ground truths of the roster.
    """
    project = Path(project)
    if ranks.size == 1:
        return found, scenes
    agreed = Roster.from_state(ranks.told(found.state(project=project)), project=project)
    return agreed, agreed.held_against(scenes)


def kept_round(
    pool: LabelledPool | None, *, folder: RunFolder, number: int, ranks: Ranks
) -> RoundFinished:
    """Writes what a round has made into the run's folder; what the round says of itself.

    Where it returns, the file of the round can be opened by every process.
    """
    path = round_path(folder.path, number=number)
    if pool is None:
        finished = event_of(ranks.told({}))
        assert isinstance(finished, RoundFinished)
        ranks.wait_for(path)
        return finished
    write_round(path, pool.labels)
    write_record(history_path(folder.path, number), pool.record)
    write_previews(folder.path, pool.labels, number=number)
    ranks.told(as_json(pool.finished))
    return pool.finished
