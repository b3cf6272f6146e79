"""The small pictures of one scene in past rounds of a run; disks and networks take their time."""

from pathlib import Path

from PySide6.QtGui import QImage

from smarthdr_studio.studio.tasks import Report


def read_previews(
    report: Report, *, run: Path, scene: str, rounds: tuple[int, ...]
) -> dict[int, QImage]:
    """A picture of each round; one that is not there, or cannot be read, is a null picture.

    Args:
        report: hears how many are read; it may raise to give up.
        run: the run's folder, in which they lie as previews/00012/<scene>.jpg.
        scene: whose pictures.
        rounds: of which rounds.
    """
    found = {}
    for done, number in enumerate(rounds):
        report("reading pictures of past rounds", done, len(rounds))
        found[number] = QImage(str(run / "previews" / f"{number:05d}" / f"{scene}.jpg"))
    return found
