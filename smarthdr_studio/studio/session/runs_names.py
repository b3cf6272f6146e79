"""Short names of runs, no two alike."""

from collections import Counter
from collections.abc import Sequence

from smarthdr_studio.core.running.listing import RunRow


def titles_of(rows: Sequence[RunRow]) -> dict[str, str]:
    """A name of each run by its id: preset and time on the clock here, as short as tells all apart.

    Runs whose names are alike whatever is told are called by their ids.
    """
    days = {row.started.astimezone().date() for row in rows}
    day = "%d %b " if len(days) > 1 else ""
    titles: dict[str, str] = {}
    for clock in ("%H:%M", "%H:%M:%S"):
        titles = {row.id: f"{row.preset} {row.started.astimezone():{day}{clock}}" for row in rows}
        if len(set(titles.values())) == len(titles):
            return titles
    counts = Counter(titles.values())
    return {run: title if counts[title] == 1 else run for run, title in titles.items()}
