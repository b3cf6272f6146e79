"""Every command of the window, once: menus, buttons, keys and help are made from this table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from smarthdr_studio.core.display import Layer

Menu = Literal["File", "Scene", "View", "Trust", "Brush", "Training", "Help"]
Mode = Literal["", "brush"]

MENUS: Final[tuple[Menu, ...]] = get_args(Menu)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One command: `calls` names the method that carries it out; `keys` are Qt's portable names.

    What is not `listed` has no line in its menu: it is reached by its key or by the palette.
    An action with a `mode` can be used only while the window is in it, and has the first claim
    on its keys then; one without can always be used, by the keys that are left.
    """

    id: str
    menu: Menu
    title: str
    tip: str
    calls: str
    keys: tuple[str, ...] = ()
    needs_project: bool = True
    listed: bool = True
    mode: Mode = ""

    @property
    def tip_with_key(self) -> str:
        """The tooltip, which names the key."""
        return f"{self.tip} ({self.keys[0]})" if self.keys else self.tip

    @property
    def line_with_key(self) -> str:
        """The line of a menu, which names the key at its end."""
        return "\t".join((self.title, *self.keys[:1]))


def action(menu: Menu, title: str, keys: str, tip: str, calls: str) -> Action:
    """A command of an open project; `keys` are separated by spaces."""
    known = tuple(keys.split())
    return Action(id=calls, menu=menu, title=title, keys=known, tip=tip, calls=calls)


def anywhere(menu: Menu, title: str, keys: str, tip: str, calls: str) -> Action:
    """A command that needs no open project."""
    return replace(action(menu, title, keys, tip, calls), needs_project=False)


def unlisted(menu: Menu, title: str, keys: str, tip: str, calls: str) -> Action:
    """A command of a family too large for its menu."""
    return replace(action(menu, title, keys, tip, calls), listed=False)


def painting(title: str, keys: str, tip: str, calls: str) -> Action:
    """A command for the brush in the hand."""
    return replace(action("Brush", title, keys, tip, calls), mode="brush")


def claims(actions: Iterable[Action], key: str, *, mode: Mode = "") -> tuple[Action, ...]:
    """The actions that claim this key for themselves in a mode."""
    return tuple(action for action in actions if key in action.keys and action.mode == mode)


def clashes(actions: Iterable[Action]) -> dict[str, tuple[Action, ...]]:
    """Keys that more than one action of the same mode claims, and all who do."""
    claimed: dict[tuple[str, Mode], list[Action]] = {}
    for action in actions:
        for key in action.keys:
            claimed.setdefault((key, action.mode), []).append(action)
    found: dict[str, tuple[Action, ...]] = {}
    for (key, _), who in sorted(claimed.items()):
        if len(who) > 1:
            found[key] = (*found.get(key, ()), *who)
    return found


def in_mode(actions: Iterable[Action], mode: Mode) -> tuple[Action, ...]:
    """The actions with the keys they have in a mode: its own come first, others yield to them."""
    known = tuple(actions)
    taken = {key for action in known if action.mode == mode for key in action.keys if mode}
    return tuple(
        action
        if action.mode or taken.isdisjoint(action.keys)
        else replace(action, keys=tuple(key for key in action.keys if key not in taken))
        for action in known
    )


def with_keys(
    actions: Iterable[Action], changes: Mapping[str, tuple[str, ...]]
) -> tuple[Action, ...]:
    """The actions with a person's own keys, by id; what the table does not know is left out."""
    return tuple(
        replace(action, keys=tuple(changes[action.id])) if action.id in changes else action
        for action in actions
    )


def changed_keys(actions: Iterable[Action], table: Iterable[Action]) -> dict[str, tuple[str, ...]]:
    """What `with_keys` needs to make these actions of the table's: only the keys that differ."""
    plain = {action.id: action.keys for action in table}
    return {a.id: a.keys for a in actions if a.keys != plain.get(a.id, a.keys)}


BASE: Final = (
    anywhere("File", "Open project…", "Ctrl+O", "Open a NAME.shdr folder", "open_project"),
    anywhere(
        "File", "Import brackets…", "", "Pictures off a camera, step by step", "import_brackets"
    ),
    anywhere(
        "File", "Open dataset folder…", "Ctrl+Shift+O", "Make a project of brackets", "open_dataset"
    ),
    anywhere("File", "Try the sample project", "", "Generate a small dataset", "try_sample"),
    action("File", "Close project", "Ctrl+W", "Back to the start page", "close_project"),
    action("Scene", "Promote", "P", "Use the pseudo-label as a label, where trusted", "promote"),
    action("Scene", "Promote whole picture", "Alt+P", "The loss counts it all", "promote_whole"),
    action("Scene", "Promote with a note…", "", "Say why", "promote_with_note"),
    action("Scene", "Demote", "Shift+P", "Take the promoted label back", "demote"),
    action("Scene", "Exclude", "X", "Keep the scene out of training; again to restore", "exclude"),
    action("Scene", "Undo", "Ctrl+Z", "Take back the last decision", "undo"),
    action("Scene", "Redo", "Ctrl+Shift+Z", "Decide it again", "redo"),
    action("Scene", "Next scene", "Right D", "Show the next scene of the list", "next_scene"),
    action("Scene", "Previous scene", "Left A", "Show the scene before", "previous_scene"),
    action(
        "Scene", "Filter", "Ctrl+F", "Ask for scenes: status:unlabelled retained<0.6", "find_scene"
    ),
    action("Scene", "Note", "Ctrl+J", "Write a note on the selected scenes", "write_note"),
    action("Scene", "Tag", "Ctrl+Shift+J", "Tag the selected scenes", "add_tag"),
    action("View", "Inspect", "Ctrl+1", "Pictures large, and why not trusted", "work_inspect"),
    action("View", "Curate", "Ctrl+2", "The queue, many scenes, two views", "work_curate"),
    action("View", "Train", "Ctrl+3", "Charts large, film strip, diary", "work_train"),
    action("View", "Pictures", "", "The current scene in the middle (Esc)", "show_pictures"),
    action(
        "View", "Table of scenes", "F7", "Every figure of every scene; again: back", "show_table"
    ),
    action("View", "Gallery of scenes", "F8", "Large pictures of all; again: back", "show_gallery"),
    action("View", "Two scenes", "Ctrl+Shift+2", "Two side by side; again: back", "show_pair"),
    action("View", "Swap the two scenes", "Ctrl+Shift+3", "Left becomes right", "swap_pair"),
    action("View", "Brighter", "E", "Exposure half a stop up", "brighter"),
    action("View", "Darker", "Shift+E", "Exposure half a stop down", "darker"),
    action("View", "A little brighter", "]", "Exposure a tenth of a stop up", "slightly_brighter"),
    action("View", "A little darker", "[", "Exposure a tenth of a stop down", "slightly_darker"),
    action("View", "Reset exposure", "R", "Back to 0 EV", "reset_exposure"),
    action("View", "Fit", "F", "Show whole pictures", "fit"),
    action("View", "One to one", "Ctrl+0", "One picture pixel per screen pixel", "one_to_one"),
    action("View", "Next colour map", "G", "Another colour map for uncertainty", "next_colour_map"),
    action("View", "Masks", "M", "Show or hide what is not trusted", "toggle_masks"),
    action("View", "Inspector", "I", "Show or hide why a pixel is not trusted", "toggle_inspector"),
    action("View", "Side panels", "Ctrl+B", "Hide the panels; again: back", "toggle_sides"),
    action("View", "Pictures alone", "F12", "No panels, no bars (Esc: back)", "focus"),
    action(
        "View", "Reset layout", "", "Panels as this workspace has them at first", "reset_layout"
    ),
    action("View", "Scenes", "Shift+F2", "The list of scenes and the queue", "tab_scenes"),
    action("View", "Film strip", "", "One scene in every round", "tab_film"),
    action("View", "Diary", "", "The run in words", "tab_diary"),
    action("View", "Table and gallery beside", "", "Many scenes in a panel", "tab_overview"),
    anywhere("View", "Full screen", "F11", "Nothing but this program (Esc: back)", "full_screen"),
    anywhere("View", "Follow the system", "", "Dark or light as the desktop", "look_system"),
    anywhere("View", "Dark", "", "Light text on dark grey", "look_dark"),
    anywhere("View", "Light", "", "Dark text on light grey", "look_light"),
    anywhere("View", "High contrast", "", "White and yellow on black", "look_contrast"),
    action("Training", "Train", "Ctrl+T", "Start a run with this preset", "train"),
    action("Training", "Plan…", "Alt+T", "Every setting of the next run", "plan_run"),
    action("Training", "Pause or go on", "Ctrl+Shift+T", "Hold the run in memory", "pause"),
    action("Training", "Stop (keep)", "Ctrl+.", "Save a checkpoint and stop", "stop"),
    action("Training", "Resume the last run", "Ctrl+R", "Go on where it stopped", "resume"),
    action(
        "Training", "Discard…", "Ctrl+Shift+D", "Stop the run and move it to the trash", "discard"
    ),
    action(
        "Training", "Snapshot now", "Ctrl+Shift+S", "Save a checkpoint of the run", "save_snapshot"
    ),
    action(
        "Training", "Next round now", "Ctrl+Shift+N", "End the epoch, label anew", "skip_to_round"
    ),
    action("Training", "Learning rate…", "Ctrl+Shift+L", "From the next epoch on", "change_rate"),
    action(
        "Training", "Rounds every…", "Ctrl+Shift+Y", "Epochs from one to the next", "change_refresh"
    ),
    anywhere("Help", "First steps and guide", "F1", "How to work", "show_help"),
    anywhere("Help", "Every key", "?", "What each key does, by menu", "show_keys"),
    anywhere(
        "Help", "Report a problem…", "", "Log and versions in a zip; not sent", "report_problem"
    ),
    anywhere("Help", "About SmartHDR Studio", "", "Version, libraries, licences", "show_about"),
    *(
        unlisted("View", f"Show {layer}", str(number), layer.tip, f"layer_{number}")
        for number, layer in enumerate(tuple(Layer)[:9], 1)
    ),
)

INSPECTION: Final = (
    action("File", "Export this view…", "Ctrl+E", "A PNG of the view's pixels", "export_view"),
    action("File", "Export all views…", "Ctrl+Shift+E", "A PNG, SVG or PDF", "export_sheet"),
    action("File", "Export layer as 16-bit PNG…", "", "Finer than the screen", "export_png16"),
    action("File", "Export layer as EXR…", "", "The numbers themselves", "export_exr"),
    action("File", "Copy this view", "Ctrl+C", "To the clipboard, as on the screen", "copy_view"),
    action("File", "Copy all views", "Ctrl+Shift+C", "The sheet, to the clipboard", "copy_sheet"),
    action("View", "Maximise", "Ctrl+Return", "One view alone, or all again", "maximise"),
    action("View", "Next view", "V", "Keys act upon the next view", "next_view"),
    action("View", "Previous view", "Shift+V", "Keys act upon the view before", "previous_view"),
    action("View", "One view", "Ctrl+Alt+1", "A grid of one", "grid_1"),
    action("View", "Two views", "Ctrl+Alt+2", "Two side by side", "grid_2"),
    action("View", "Two views, stacked", "", "One above the other", "grid_stacked"),
    action("View", "Three views", "Ctrl+Alt+3", "Three side by side", "grid_3"),
    action("View", "Four views", "Ctrl+Alt+4", "Two rows of two", "grid_4"),
    action("View", "Five views", "Ctrl+Alt+5", "Three, and two below", "grid_5"),
    action("View", "Six views", "Ctrl+Alt+6", "Two rows of three", "grid_6"),
    action("View", "Zoom in", "+ =", "About the crosshair", "zoom_in"),
    action("View", "Zoom out", "-", "About the crosshair", "zoom_out"),
    action("View", "Wipe", "W", "Two layers in one view; Alt+drag moves the line", "toggle_wipe"),
    action("View", "Difference", "Shift+W", "This layer minus another", "toggle_difference"),
    action("View", "Zebra", "Z", "Stripe what is clipped in this view", "toggle_zebra"),
    action("View", "Uncertainty", "U", "Uncertainty in this view, or back", "toggle_uncertainty"),
    action("View", "Linked exposure", "Ctrl+L", "One exposure for all views", "link_exposure"),
    action("View", "Display…", "", "μ, γ, colours, masks, memory", "show_display"),
    *(
        unlisted("View", f"Pan {way}", f"Ctrl+{way.title()}", f"Move {way}", f"pan_{way}")
        for way in ("left", "right", "up", "down")
    ),
    *(
        unlisted(
            "View",
            f"Crosshair {way}",
            f"Alt+{way.title()}",
            f"One pixel {way}",
            f"crosshair_{way}",
        )
        for way in ("left", "right", "up", "down")
    ),
    *(
        unlisted(
            "View",
            f"Crosshair far {way}",
            f"Alt+Shift+{way.title()}",
            f"16 pixels {way}, or as far as the brush reaches",
            f"crosshair_far_{way}",
        )
        for way in ("left", "right", "up", "down")
    ),
    *(
        unlisted("View", f"Show {layer}", "", layer.tip, f"layer_{number}")
        for number, layer in enumerate(Layer, 1)
        if number > 9
    ),
    action("Trust", "Hand", "H", "Drag moves the pictures", "tool_hand"),
    action("Trust", "Rectangle", "S", "Drag marks a region", "tool_rectangle"),
    action("Trust", "Lasso", "L", "Draw around a region", "tool_lasso"),
    action("Trust", "No region", "Esc", "Figures of the whole scene again", "clear_region"),
    action("Trust", "Least trusted", "T", "Go to the least trustworthy region", "least_trusted"),
    action("Trust", "Lower τ_pa", "Ctrl+[", "Retain fewer patches", "lower_tau_patch"),
    action("Trust", "Raise τ_pa", "Ctrl+]", "Retain more patches", "raise_tau_patch"),
    action("Trust", "Lower τ_pi", "Ctrl+Shift+[", "Retain fewer pixels", "lower_tau_pixel"),
    action("Trust", "Raise τ_pi", "Ctrl+Shift+]", "Retain more pixels", "raise_tau_pixel"),
    action("Trust", "Snapshot", "Ctrl+D", "Set both thresholds aside", "take_snapshot"),
    action("Trust", "Reset thresholds", "Ctrl+Shift+R", "The paper's", "reset_thresholds"),
    action("Trust", "Next scope", "Shift+H", "Whose scores histograms count", "next_scope"),
    action("Trust", "Previous round", ",", "Masks as they were a round before", "previous_round"),
    action("Trust", "Next round", ".", "Masks as they were a round later", "next_round"),
    action("Trust", "Back to now", "N", "No round is replayed", "back_to_now"),
    action("Trust", "Thresholds", "F2", "Histograms and both thresholds", "tab_thresholds"),
    action("Trust", "Why?", "F3", "Why a pixel or region is not trusted", "tab_why"),
    action("Trust", "Evidence", "F4", "Whether σ is any good", "tab_evidence"),
    action("Trust", "Scene", "F9", "Note, tags and history of the scene", "tab_scene"),
    action("Trust", "Training", "F5", "The run and its curves", "tab_training"),
    action("Trust", "History", "F6", "Every round of the run", "tab_history"),
    anywhere("Help", "Command palette", "Ctrl+Shift+P", "Find by words", "show_palette"),
    anywhere("Help", "Change keys…", "Ctrl+K", "Give any command another key", "edit_keys"),
)


CURATION: Final = (
    action(
        "Scene", "Next to review", "Space", "Of the queue; this one is reviewed", "next_in_queue"
    ),
    action("Scene", "Review before", "Shift+Space", "Back in the queue", "previous_in_queue"),
    action("Scene", "All scenes", "Alt+1", "The list as it is sorted, no queue", "queue_all"),
    action("Scene", "Safest to promote", "Alt+2", "The safest scene first", "queue_safest"),
    action("Scene", "Most worth labelling", "Alt+3", "The largest gain first", "queue_worth"),
    action("Scene", "Rank anew", "Alt+R", "The order as it would be now", "rank_anew"),
    action("Scene", "Propose promotions…", "Ctrl+P", "By a rule; you decide", "propose"),
)

FILES: Final = (
    action("Scene", "Import ground truth…", "Ctrl+G", "A file, or a static bracket", "bring_truth"),
    action("Scene", "Use its ground truth", "", "Learn from the file it has", "use_truth"),
    action("Scene", "Choose frames…", "", "Which three of its bracket are used", "choose_frames"),
    action("Trust", "Journal", "F10", "Every decision, and the past", "tab_journal"),
    action("Trust", "As it was on…", "Alt+J", "The project at a moment", "ask_moment"),
    action("File", "Import split…", "", "Statuses from a list of scenes", "import_split"),
    action("File", "Export split…", "", "What every scene is: CSV, JSON", "export_split"),
    action("File", "Export journal…", "", "Every decision: CSV, JSON", "export_journal"),
    action("File", "Export curated dataset…", "", "For other programs", "export_dataset"),
    action("File", "Review report…", "", "A page to hand on", "export_report"),
    action("File", "Align hand-held frames", "", "As they are read; again to stop", "align_frames"),
    action("File", "Camera curve…", "", "Under which frames are read; choose it", "camera_curve"),
    action("File", "Where is the dataset?", "", "When its folder has moved", "find_dataset"),
    action(
        "File", "Accept changed pictures…", "", "Or say where the right ones are", "accept_pictures"
    ),
    anywhere("File", "Mend a project…", "", "What can be; nothing is deleted", "mend_project"),
    anywhere("File", "Quit", "Ctrl+Q", "Leave; a run is stopped and saved first", "leave"),
)

BRUSH: Final = (
    action("Brush", "Brush", "B", "Paint what is trusted and what is not", "tool_brush"),
    painting("Trust", "T", "Paint: the loss counts these pixels", "ink_trust"),
    painting("Distrust", "Y", "Paint: the loss leaves these pixels out", "ink_distrust"),
    painting("Erase", "C", "Both gates decide here again", "ink_erase"),
    painting("Round brush", "J", "Drag paints along the way", "shape_brush"),
    painting("Fill", "K", "A click paints all that hangs together untrusted", "shape_fill"),
    painting("Lasso", "O", "Draw around what is to be painted", "shape_lasso"),
    painting("Polygon", "Q", "Clicks set corners, a double click closes", "shape_polygon"),
    painting("Smaller", "[", "A smaller brush (Ctrl+wheel too)", "brush_smaller"),
    painting("Larger", "]", "A larger brush (Ctrl+wheel too)", "brush_larger"),
    painting("Softer", "{", "A softer rim", "brush_softer"),
    painting("Harder", "}", "A harder rim", "brush_harder"),
    painting("Paint at the crosshair", "Return Enter", "One dab, fill or corner", "paint_here"),
    painting(
        "Paint the region", "Shift+Return Shift+Enter", "Or close the polygon", "paint_region"
    ),
    painting("Clear", "Del", "Erase all that is painted on this scene", "clear_painting"),
    painting("Put the brush away", "Esc", "Drag moves the pictures again", "leave_brush"),
)


MODELS: Final = (
    action(
        "Training",
        "Look through a model file…",
        "",
        "The student's views and predictions come from a .shdrmodel",
        "look_through_file",
    ),
    action(
        "Training",
        "Look through the newest checkpoint",
        "",
        "As before a model file was picked",
        "look_through_newest",
    ),
    action(
        "Training",
        "Train without labels",
        "",
        "SelfHDR learns from what aligned frames agree about; minutes on a processor",
        "train_without_labels",
    ),
    action(
        "Training",
        "Use the starter model",
        "",
        "It makes pseudo-labels, σ and masks for the pool, without any training",
        "label_by_starter",
    ),
    action(
        "Training",
        "Use a model file…",
        "",
        "A .shdrmodel makes pseudo-labels, σ and masks for the pool",
        "label_by_file",
    ),
)


RUNS: Final = (
    action("Training", "Runs", "Shift+F5", "Every run: compare, resume; again: back", "show_runs"),
    action("Training", "Resume", "Ctrl+Alt+R", "Go on with the chosen run", "run_resume"),
    action("Training", "Continue as a new run…", "", "Its plan, with changes", "run_continue"),
    action("Training", "Go back to its state…", "", "Labels, thresholds, views", "run_go_back"),
    action("Training", "Export its model…", "", "Student or teacher as a file", "run_export"),
    action("Training", "Write a note", "Ctrl+Alt+J", "About the chosen run", "run_note"),
    action("Training", "Move to the trash…", "", "The chosen runs; asks first", "run_discard"),
    action("Training", "Restore a discarded run…", "", "From the trash", "run_restore"),
    action("Training", "Open its folder", "", "Of the chosen run", "run_folder"),
    action("Training", "Copy the command that resumes", "", "For a terminal", "run_copy"),
    anywhere("Training", "Benchmark…", "", "Methods, labels and seeds as a table", "benchmark"),
)


ACTIONS: Final = (*BASE, *INSPECTION, *CURATION, *FILES, *BRUSH, *RUNS, *MODELS)


_own: dict[str, tuple[str, ...]] = {}  # a person's keys; one person sits at a process


def use_keys(keys: Mapping[str, tuple[str, ...]]) -> Mapping[str, str]:
    """From now on `by_id` knows a person's own keys, by id.

    Answers how tooltips and lines of menus that name a key are to be worded anew, by their words
    until now.
    """
    before = with_keys(ACTIONS, _own)
    _own.clear()
    _own.update(keys)
    anew: dict[str, str] = {}
    for was, now in zip(before, with_keys(ACTIONS, _own), strict=True):
        if was.keys != now.keys:
            anew[was.tip_with_key] = now.tip_with_key
            if was.keys:  # without one it is but a title, which may stand for other things
                anew[was.line_with_key] = now.line_with_key
    return anew


def by_id(name: str) -> Action:
    """The action of that id, with the keys the person has given it."""
    found = next(action for action in ACTIONS if action.id == name)
    return replace(found, keys=_own.get(name, found.keys))
