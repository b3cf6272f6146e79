"""What the frames of a scene say about every pixel; found once per scene."""

from smarthdr_studio.core.bracket import Bracket
from smarthdr_studio.core.reasons import Clues, clues
from smarthdr_studio.studio.threads.task import Tell


def find_clues(tell: Tell, *, bracket: Bracket) -> Clues:
    """Saturation, motion and noise of a bracket."""
    tell("looking for motion and saturation", 0, 0)
    return clues(bracket)
