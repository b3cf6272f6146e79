"""What the verb `doctor` says of a project: what is wrong, what was mended, which backups open."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from smarthdr_studio.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from smarthdr_studio.core.safekeeping.checkup import Checkup

WELL: Final = 0
WRONG: Final = 2


def examine(folder: Path, *, repairing: bool, as_json: bool) -> int:
    """Look a project over, mend it if asked to, and answer with the exit status."""
    from smarthdr_studio.core.safekeeping.checkup import check_up
    from smarthdr_studio.core.safekeeping.repair import repair

    done = repair(folder) if repairing else ()
    found = check_up(folder)
    if as_json:
        print_json(_plain(folder, found, done))
    else:
        _tell(folder, found, done)
    return WRONG if found.findings else WELL


def _tell(folder: Path, found: "Checkup", done: Sequence[str]) -> None:
    for sentence in done:
        say(f"mended: {sentence}")
    backups = [
        (each.path.name, "does not open" if each.entries is None else f"{each.entries} entries")
        for each in found.backups
    ]
    rows = [("scenes", f"{found.scenes}"), ("journal", f"{found.entries} entries"), *backups]
    print_table(("what", "here"), rows, title=f"{folder}", words=2)
    if not found.findings:
        say("Nothing is wrong.")
        return
    wrong = [(str(each.trouble), each.sentence, each.remedy) for each in found.findings]
    print_table(("what", "is wrong", "remedy"), wrong, title="What is wrong", words=3)


def _plain(folder: Path, found: "Checkup", done: Sequence[str]) -> dict[str, object]:
    return {
        "project": str(folder),
        "scenes": found.scenes,
        "entries": found.entries,
        "findings": [asdict(each) for each in found.findings],
        "mended": list(done),
        "backups": [{"path": str(b.path), "entries": b.entries} for b in found.backups],
    }
