"""Every command of the window, once: menus, buttons, keys and help are made from this table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from smarthdr_studio.core.display import Layer

Menu = Literal["File", "Scene", "View", "Inspect", "Brush", "Training", "Help"]
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
    checkable: bool = False
    needs_project: bool = True
    listed: bool = True
    mode: Mode = ""

    @property
    def tip_with_key(self) -> str:
        """The tooltip, which names the key."""
        return f"{self.tip} ({self.keys[0]})" if self.keys else self.tip


def _action(menu: Menu, title: str, keys: str, tip: str, calls: str) -> Action:
    known = tuple(keys.split())
    return Action(id=calls, menu=menu, title=title, keys=known, tip=tip, calls=calls)


def _anywhere(menu: Menu, title: str, keys: str, tip: str, calls: str) -> Action:
    """A command that needs no open project."""
    return replace(_action(menu, title, keys, tip, calls), needs_project=False)


def _unlisted(menu: Menu, title: str, keys: str, tip: str, calls: str) -> Action:
    """A command of a family too large for its menu."""
    return replace(_action(menu, title, keys, tip, calls), listed=False)


def _painting(title: str, keys: str, tip: str, calls: str) -> Action:
    """A command for the brush in the hand."""
    return replace(_action("Brush", title, keys, tip, calls), mode="brush")


_BASE: Final = (
    _anywhere("File", "Open project…", "Ctrl+O", "Open a NAME.shdr folder", "open_project"),
    _anywhere(
        "File", "Open dataset folder…", "Ctrl+Shift+O", "Make a project of brackets", "open_dataset"
    ),
    _anywhere("File", "Try the sample project", "", "Generate a small dataset", "try_sample"),
    _action("File", "Close project", "Ctrl+W", "Back to the start page", "close_project"),
    _anywhere("File", "Quit", "Ctrl+Q", "Leave; a run is stopped and saved first", "leave"),
    _action("Scene", "Promote", "P", "Use the pseudo-label as a label, where trusted", "promote"),
    _action("Scene", "Promote whole picture", "Alt+P", "The loss counts it all", "promote_whole"),
    _action("Scene", "Promote with a note…", "", "Say why", "promote_with_note"),
    _action("Scene", "Demote", "Shift+P", "Take the promoted label back", "demote"),
    _action("Scene", "Exclude", "X", "Keep the scene out of training; again to restore", "exclude"),
    _action("Scene", "Undo", "Ctrl+Z", "Take back the last decision", "undo"),
    _action("Scene", "Redo", "Ctrl+Shift+Z", "Decide it again", "redo"),
    _action("Scene", "Next scene", "Right D", "Show the next scene of the list", "next_scene"),
    _action("Scene", "Previous scene", "Left A", "Show the scene before", "previous_scene"),
    _action(
        "Scene", "Filter", "Ctrl+F", "Ask for scenes: status:unlabelled retained<0.6", "find_scene"
    ),
    _action("Scene", "Note", "Ctrl+J", "Write a note on the selected scenes", "write_note"),
    _action("Scene", "Tag", "Ctrl+Shift+J", "Tag the selected scenes", "add_tag"),
    _action("Scene", "Swap the two scenes", "Ctrl+Shift+3", "Left becomes right", "swap_pair"),
    _action("View", "Pictures", "", "The current scene in the middle (Esc)", "show_pictures"),
    _action(
        "View", "Table of scenes", "F7", "Every figure of every scene; again: back", "show_table"
    ),
    _action(
        "View", "Gallery of scenes", "F8", "Large pictures of all; again: back", "show_gallery"
    ),
    _action("View", "Two scenes", "Ctrl+Shift+2", "Two side by side; again: back", "show_pair"),
    _action("View", "Brighter", "E", "Exposure half a stop up", "brighter"),
    _action("View", "Darker", "Shift+E", "Exposure half a stop down", "darker"),
    _action("View", "A little brighter", "]", "Exposure a tenth of a stop up", "slightly_brighter"),
    _action("View", "A little darker", "[", "Exposure a tenth of a stop down", "slightly_darker"),
    _action("View", "Reset exposure", "R", "Back to 0 EV", "reset_exposure"),
    _action("View", "Fit", "F", "Show whole pictures", "fit"),
    _action("View", "One to one", "Ctrl+0", "One picture pixel per screen pixel", "one_to_one"),
    _action(
        "View", "Next colour map", "G", "Another colour map for uncertainty", "next_colour_map"
    ),
    _action("View", "Masks", "M", "Show or hide what is not trusted", "toggle_masks"),
    _action(
        "View", "Inspector", "I", "Show or hide why a pixel is not trusted", "toggle_inspector"
    ),
    _action("View", "Side panels", "Ctrl+B", "Hide everything but the pictures", "toggle_sides"),
    _anywhere("View", "Follow the system", "", "Dark or light as the desktop", "look_system"),
    _anywhere("View", "Dark", "", "Light text on dark grey", "look_dark"),
    _anywhere("View", "Light", "", "Dark text on light grey", "look_light"),
    _action("Training", "Train", "Ctrl+T", "Start a run with this preset", "train"),
    _action("Training", "Pause or go on", "Ctrl+Shift+T", "Hold the run in memory", "pause"),
    _action("Training", "Stop (keep)", "Ctrl+.", "Save a checkpoint and stop", "stop"),
    _action("Training", "Resume the last run", "Ctrl+R", "Go on where it stopped", "resume"),
    _anywhere("Help", "Keys and guide", "F1 ?", "Every key, and how to work", "show_help"),
    *(
        _unlisted("View", f"Show {layer}", str(number), layer.tip, f"layer_{number}")
        for number, layer in enumerate(tuple(Layer)[:9], 1)
    ),
)

_INSPECTION: Final = (
    _action("File", "Export this view…", "Ctrl+E", "A PNG of the view's pixels", "export_view"),
    _action("File", "Export all views…", "Ctrl+Shift+E", "One sheet as PNG", "export_sheet"),
    _action("File", "Export layer as 16-bit PNG…", "", "Finer than the screen", "export_png16"),
    _action("File", "Export layer as EXR…", "", "The numbers themselves", "export_exr"),
    _action("File", "Copy this view", "Ctrl+C", "To the clipboard, as on the screen", "copy_view"),
    _action("File", "Copy all views", "Ctrl+Shift+C", "The sheet, to the clipboard", "copy_sheet"),
    _action("View", "Maximise", "Ctrl+Return", "One view alone, or all again", "maximise"),
    _action("View", "Next view", "V", "Keys act upon the next view", "next_view"),
    _action("View", "Previous view", "Shift+V", "Keys act upon the view before", "previous_view"),
    _action("View", "One view", "Ctrl+1", "A grid of one", "grid_1"),
    _action("View", "Two views", "Ctrl+2", "Two side by side", "grid_2"),
    _action("View", "Two views, stacked", "", "One above the other", "grid_stacked"),
    _action("View", "Three views", "Ctrl+3", "Three side by side", "grid_3"),
    _action("View", "Four views", "Ctrl+4", "Two rows of two", "grid_4"),
    _action("View", "Five views", "Ctrl+5", "Three, and two below", "grid_5"),
    _action("View", "Six views", "Ctrl+6", "Two rows of three", "grid_6"),
    _action("View", "Zoom in", "+ =", "About the crosshair", "zoom_in"),
    _action("View", "Zoom out", "-", "About the crosshair", "zoom_out"),
    _action("View", "Wipe", "W", "Two layers in one view; Alt+drag moves the line", "toggle_wipe"),
    _action("View", "Difference", "Shift+W", "This layer minus another", "toggle_difference"),
    _action("View", "Zebra", "Z", "Stripe what is clipped in this view", "toggle_zebra"),
    _action("View", "Uncertainty", "U", "Uncertainty in this view, or back", "toggle_uncertainty"),
    _action("View", "Linked exposure", "Ctrl+L", "One exposure for all views", "link_exposure"),
    _action("View", "Display…", "", "μ, γ, colours, masks, memory", "show_display"),
    *(
        _unlisted("View", f"Pan {way}", f"Ctrl+{way.title()}", f"Move {way}", f"pan_{way}")
        for way in ("left", "right", "up", "down")
    ),
    *(
        _unlisted(
            "View",
            f"Crosshair {way}",
            f"Alt+{way.title()}",
            f"One pixel {way}",
            f"crosshair_{way}",
        )
        for way in ("left", "right", "up", "down")
    ),
    *(
        _unlisted(
            "View",
            f"Crosshair far {way}",
            f"Alt+Shift+{way.title()}",
            f"16 pixels {way}, or as far as the brush reaches",
            f"crosshair_far_{way}",
        )
        for way in ("left", "right", "up", "down")
    ),
    *(
        _unlisted("View", f"Show {layer}", "", layer.tip, f"layer_{number}")
        for number, layer in enumerate(Layer, 1)
        if number > 9
    ),
    _action("Inspect", "Hand", "H", "Drag moves the pictures", "tool_hand"),
    _action("Inspect", "Rectangle", "S", "Drag marks a region", "tool_rectangle"),
    _action("Inspect", "Lasso", "L", "Draw around a region", "tool_lasso"),
    _action("Inspect", "No region", "Esc", "Figures of the whole scene again", "clear_region"),
    _action("Inspect", "Least trusted", "T", "Go to the least trustworthy region", "least_trusted"),
    _action("Inspect", "Lower τ_pa", "Ctrl+[", "Keep fewer patches", "lower_tau_patch"),
    _action("Inspect", "Raise τ_pa", "Ctrl+]", "Keep more patches", "raise_tau_patch"),
    _action("Inspect", "Lower τ_pi", "Ctrl+Shift+[", "Keep fewer pixels", "lower_tau_pixel"),
    _action("Inspect", "Raise τ_pi", "Ctrl+Shift+]", "Keep more pixels", "raise_tau_pixel"),
    _action("Inspect", "Snapshot", "Ctrl+D", "Set both thresholds aside", "take_snapshot"),
    _action("Inspect", "Reset thresholds", "Ctrl+Shift+R", "The paper's", "reset_thresholds"),
    _action("Inspect", "Next scope", "Shift+H", "Whose scores histograms count", "next_scope"),
    _action(
        "Inspect", "Previous round", ",", "Masks as they were a round before", "previous_round"
    ),
    _action("Inspect", "Next round", ".", "Masks as they were a round later", "next_round"),
    _action("Inspect", "Back to now", "N", "No round is replayed", "back_to_now"),
    _action("Inspect", "Thresholds", "F2", "Histograms and both thresholds", "tab_thresholds"),
    _action("Inspect", "Why?", "F3", "Why a pixel or region is not trusted", "tab_why"),
    _action("Inspect", "Evidence", "F4", "Whether σ is any good", "tab_evidence"),
    _action("Inspect", "Scene", "F9", "Note, tags and history of the scene", "tab_scene"),
    _action("Inspect", "Training", "F5", "The run and its curves", "tab_training"),
    _action("Inspect", "History", "F6", "Every round of the run", "tab_history"),
    _anywhere("Help", "Command palette", "Ctrl+Shift+P", "Find by words", "show_palette"),
    _anywhere("Help", "Change keys…", "Ctrl+K", "Give any command another key", "edit_keys"),
)

_CURATION: Final = (
    _action(
        "Scene", "Next to review", "Space", "Of the queue; this one is reviewed", "next_in_queue"
    ),
    _action("Scene", "Review before", "Shift+Space", "Back in the queue", "previous_in_queue"),
    _action("Scene", "All scenes", "Alt+1", "The list as it is sorted, no queue", "queue_all"),
    _action("Scene", "Safest to promote", "Alt+2", "The safest scene first", "queue_safest"),
    _action("Scene", "Most worth labelling", "Alt+3", "The largest gain first", "queue_worth"),
    _action("Scene", "Rank anew", "Alt+R", "The order as it would be now", "rank_anew"),
    _action("Scene", "Propose promotions…", "Ctrl+P", "By a rule; you decide", "propose"),
)

_PAPERS: Final = (
    _action("Scene", "Bring ground truth…", "Ctrl+G", "A file, or a static bracket", "bring_truth"),
    _action("Inspect", "Journal", "F10", "Every decision, and the past", "tab_journal"),
    _action("Inspect", "As it was on…", "Alt+J", "The project at a moment", "ask_moment"),
    _action("File", "Import split…", "", "Statuses from a list of scenes", "import_split"),
    _action("File", "Export split…", "", "What every scene is: CSV, JSON", "export_split"),
    _action("File", "Export journal…", "", "Every decision: CSV, JSON", "export_journal"),
    _action("File", "Export curated dataset…", "", "For other programs", "export_dataset"),
    _action("File", "Review report…", "", "A page to hand on", "export_report"),
    _action("File", "Where is the dataset?", "", "When its folder has moved", "find_dataset"),
)

_BRUSH: Final = (
    _action("Brush", "Brush", "B", "Paint what is trusted and what is not", "tool_brush"),
    _painting("Trust", "T", "Paint: the loss counts these pixels", "ink_trust"),
    _painting("Distrust", "Y", "Paint: the loss leaves these pixels out", "ink_distrust"),
    _painting("Erase", "C", "Both gates decide here again", "ink_erase"),
    _painting("Round brush", "J", "Drag paints along the way", "shape_brush"),
    _painting("Fill", "K", "A click paints all that hangs together untrusted", "shape_fill"),
    _painting("Lasso", "O", "Draw around what is to be painted", "shape_lasso"),
    _painting("Polygon", "Q", "Clicks set corners, a double click closes", "shape_polygon"),
    _painting("Smaller", "[", "A smaller brush (Ctrl+wheel too)", "brush_smaller"),
    _painting("Larger", "]", "A larger brush (Ctrl+wheel too)", "brush_larger"),
    _painting("Softer", "{", "A softer rim", "brush_softer"),
    _painting("Harder", "}", "A harder rim", "brush_harder"),
    _painting("Paint at the crosshair", "Return Enter", "One dab, fill or corner", "paint_here"),
    _painting(
        "Paint the region", "Shift+Return Shift+Enter", "Or close the polygon", "paint_region"
    ),
    _painting("Clear", "Del", "Erase all that is painted on this scene", "clear_painting"),
    _painting("Put the brush away", "Esc", "Drag moves the pictures again", "leave_brush"),
)

ACTIONS: Final = (*_BASE, *_INSPECTION, *_CURATION, *_PAPERS, *_BRUSH)


def by_id(name: str) -> Action:
    """The action of that id."""
    return next(action for action in ACTIONS if action.id == name)


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
        if action.mode
        else replace(action, keys=tuple(key for key in action.keys if key not in taken))
        for action in known
    )


def with_keys(
    actions: Iterable[Action], changes: Mapping[str, tuple[str, ...]]
) -> tuple[Action, ...]:
    """The actions with a person's own keys, by id; what the table does not know is left out."""
    return tuple(
        replace(action, keys=tuple(changes.get(action.id, action.keys))) for action in actions
    )


def changed_keys(actions: Iterable[Action], table: Iterable[Action]) -> dict[str, tuple[str, ...]]:
    """What `with_keys` needs to make these actions of the table's: only the keys that differ."""
    plain = {action.id: action.keys for action in table}
    return {a.id: a.keys for a in actions if a.keys != plain.get(a.id, a.keys)}
