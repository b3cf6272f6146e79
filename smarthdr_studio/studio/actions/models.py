"""The commands about looking through a model file instead of the newest checkpoint."""

from typing import Final

from smarthdr_studio.studio.actions.action import action

MODELS: Final = (
    action(
        "Training",
        "Look through a model file…",
        "",
        "The student's views and guesses come from a .shdrmodel",
        "look_through_file",
    ),
    action(
        "Training",
        "Look through the newest checkpoint",
        "",
        "As before a model file was picked",
        "look_through_newest",
    ),
)
