"""Moving a run to the trash and back; a run is many files, and disks answer when they like."""

from smarthdr_studio.core.project import Project
from smarthdr_studio.core.running.discarded import discard_run, restore_run
from smarthdr_studio.studio.threads.task import Tell


def discard(tell: Tell, *, project: Project, run: str) -> str:
    """The run is in the trash; answers its name. Raises ProjectError."""
    tell(f"moving {run} to the trash", 0, 0)
    return discard_run(project, run).id


def restore(tell: Tell, *, project: Project, run: str) -> str:
    """The run is among the runs again; answers its name. Raises ProjectError."""
    tell(f"bringing {run} back", 0, 0)
    return restore_run(project, run).id
