"""The commands about runs on disk: the list of them, and what is done with those chosen in it."""

from typing import Final

from smarthdr_studio.studio.actions.action import action

RUNS: Final = (
    action("Training", "Runs", "F11", "Every run: compare, resume; again: back", "show_runs"),
    action("Training", "Resume", "Ctrl+Alt+R", "Go on with the chosen run", "run_resume"),
    action("Training", "Continue as a new run…", "", "Its plan, with changes", "run_continue"),
    action("Training", "Go back to its state…", "", "Labels, thresholds, views", "run_go_back"),
    action("Training", "Export its model…", "", "Student or teacher as a file", "run_export"),
    action("Training", "Write a note", "Ctrl+Alt+J", "About the chosen run", "run_note"),
    action("Training", "Move to the trash…", "", "The chosen runs; asks first", "run_discard"),
    action("Training", "Restore a discarded run…", "", "From the trash", "run_restore"),
    action("Training", "Open its folder", "", "Of the chosen run", "run_folder"),
    action("Training", "Copy the command that resumes", "", "For a terminal", "run_copy"),
)
