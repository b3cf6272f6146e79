"""The commands about queues, ground truths, files in and out, and the brush."""

from typing import Final

from smarthdr_studio.studio.actions.action import action, anywhere, painting

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

PAPERS: Final = (
    action("Scene", "Bring ground truth…", "Ctrl+G", "A file, or a static bracket", "bring_truth"),
    action("Scene", "Use its ground truth", "", "Learn from the file it has", "use_truth"),
    action("Inspect", "Journal", "F10", "Every decision, and the past", "tab_journal"),
    action("Inspect", "As it was on…", "Alt+J", "The project at a moment", "ask_moment"),
    action("File", "Import split…", "", "Statuses from a list of scenes", "import_split"),
    action("File", "Export split…", "", "What every scene is: CSV, JSON", "export_split"),
    action("File", "Export journal…", "", "Every decision: CSV, JSON", "export_journal"),
    action("File", "Export curated dataset…", "", "For other programs", "export_dataset"),
    action("File", "Review report…", "", "A page to hand on", "export_report"),
    action("File", "Where is the dataset?", "", "When its folder has moved", "find_dataset"),
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
