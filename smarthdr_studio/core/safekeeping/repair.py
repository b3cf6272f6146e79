"""Puts right what a checkup found, as far as nothing can be lost by it; nothing is deleted."""

from collections.abc import Sequence
from pathlib import Path

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.journal import JournalEntry, Ledger
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.safekeeping.checkup import check_up
from smarthdr_studio.core.safekeeping.file_checks import QUIET_SECONDS, unaccounted
from smarthdr_studio.core.safekeeping.findings import Finding, Trouble
from smarthdr_studio.core.safekeeping.painting_checks import mask_in_backups
from smarthdr_studio.core.safekeeping.restoring import restore_database
from smarthdr_studio.core.trash import bring_back, put_away

_LOST = (Trouble.DATABASE, Trouble.JOURNAL)
_STRAY = (Trouble.UNACCOUNTED, Trouble.LEFTOVER)


def repair(folder: AnyPath, *, quiet: float = QUIET_SECONDS) -> tuple[str, ...]:
    """Mend what can be mended in the project in `folder`; one sentence for each thing done.

    A database is restored first, because only then the files can be looked over. Raises
    ProjectError: the project cannot be written.
    """
    folder = Path(folder).expanduser().resolve()
    done: list[str] = []
    findings = check_up(folder, quiet=quiet).findings
    try:
        if any(each.trouble in _LOST and each.mendable for each in findings):
            done.append(restore_database(folder))
            findings = check_up(folder, quiet=quiet).findings
        if any(each.trouble in _LOST for each in findings):
            return tuple(done)
        with Project.open(folder) as project:
            done += _mended(project, findings, quiet=quiet)
        # Opened anew, today's backup is made again if it was one of the bad ones.
        Project.open(folder).close()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProjectError(
            f"{folder}: cannot be repaired ({reason}); free some space or allow writing there"
        ) from None
    return tuple(done)


def _mended(project: Project, findings: Sequence[Finding], *, quiet: float) -> list[str]:
    done: list[str] = []

    def mend(_: Ledger) -> Sequence[JournalEntry]:
        # Nobody decides in between, so what is unaccounted for now belongs to nobody.
        strays = [*unaccounted(project, quiet=quiet)]
        rest = [each for each in findings if each.mendable and each.trouble not in _STRAY]
        done.extend(_mend(project, each) for each in (*rest, *strays))
        return ()

    masks = {
        each.what: runs
        for each in findings
        if each.trouble is Trouble.PAINTING
        and (runs := mask_in_backups(project.folder, each.what)) is not None
    }
    project.record(mend, painted=lambda: masks)
    return done


def _mend(project: Project, finding: Finding) -> str:
    folder, what = project.folder, finding.what
    if finding.trouble is Trouble.PAINTING:
        return f"brought back what was painted ({what[:12]}) from a backup"
    if finding.trouble is Trouble.FILE_IN_USE:
        if (folder / what).exists():
            put_away(folder, folder / what)
        bring_back(folder, what, finding.checksum)
        return f"brought {what} back from the trash"
    put_away(folder, folder / what)
    return f"moved {what} to the trash"
