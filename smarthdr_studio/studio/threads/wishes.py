"""Leaving a wish for a run of another process; disks and networks answer when they like."""

from pathlib import Path

from smarthdr_studio.core.steering import Wish, leave_wish


def leave(*, run: Path, wish: Wish) -> None:
    """Leave it in the folder of the run. Raises ProjectError (see `core.steering`)."""
    leave_wish(run, wish)
