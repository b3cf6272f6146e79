"""Everything a run says, kept in its folder as it is said."""

import json
from datetime import UTC, datetime
from pathlib import Path

from smarthdr_studio.core.events import TrainingEvent, as_json
from smarthdr_studio.learning.tensorboard_log import TensorboardLog


class RunLog:
    """events.jsonl, one event a line with its time, and TensorBoard's files beside it."""

    def __init__(self, folder: Path, *, step: int) -> None:
        self._lines = (folder / "events.jsonl").open("a", encoding="utf-8")
        self._curves = TensorboardLog(folder / "tensorboard", step=step)

    def write(self, event: TrainingEvent) -> None:
        """Appends and flushes, so that a killed run has told everything it knew."""
        entry = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **as_json(event)}
        self._lines.write(json.dumps(entry, ensure_ascii=False) + "\n")
        self._lines.flush()
        self._curves.write(event)

    def close(self) -> None:
        """Lets go of the files."""
        self._lines.close()
        self._curves.close()
