"""What the frames of a scene say about every pixel; found once per scene."""

from smarthdr_studio.core.bracket import Bracket
from smarthdr_studio.core.reasons import Clues, clues


def find_clues(*, bracket: Bracket) -> Clues:
    """Saturation, motion and noise of a bracket."""
    return clues(bracket)
