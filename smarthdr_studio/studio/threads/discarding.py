"""Moving a run to the trash and back; a run is many files, and disks answer when they like."""

from smarthdr_studio.core.project import Project
from smarthdr_studio.core.running.discarded import discard_run, restore_run


def discard(*, project: Project, run: str) -> str:
    """The run is in the trash; answers its name. Raises ProjectError."""
    return discard_run(project, run).id


def restore(*, project: Project, run: str) -> str:
    """The run is among the runs again; answers its name. Raises ProjectError."""
    return restore_run(project, run).id
