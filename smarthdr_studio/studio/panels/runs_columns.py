"""The columns of the list of runs: what each is called, means, says and is sorted by."""

from dataclasses import replace
from typing import Final

from smarthdr_studio.core.running.listing import RunRow
from smarthdr_studio.studio.panels import runs_words as words
from smarthdr_studio.studio.panels.parts import percent
from smarthdr_studio.studio.widgets.value_table import RIGHT, Column

STARTED: Final = "Started"
_NOTHING: Final = float("-inf")
_URGENT_FIRST: Final = ("running", "paused", "interrupted", "failed", "stopped", "done")

_FIGURES: Final[tuple[Column[RunRow], ...]] = (
    Column(
        title="Status",
        tip="How the run stands; of one that is not done, the epoch it has reached",
        text=words.status,
        key=lambda row: _URGENT_FIRST.index(row.status),
        widest="⚠ interrupted 10/40",
        tone=lambda row: words.SIGNS[row.status][0],
    ),
    Column(
        title="Preset",
        tip="The preset its plan was made from",
        text=lambda row: row.preset,
        widest="mean-teacher",
    ),
    Column(
        title=STARTED,
        tip="On the clock of this computer",
        text=words.started,
        key=lambda row: row.id,
        widest="today 00:00",
        largest_first=True,
    ),
    Column(
        title="Labels",
        tip="Ground truths and promoted labels it learns from, and those held out",
        text=lambda row: words.labels(row.labels),
        key=lambda row: row.labels.labelled + row.labels.promoted,
        widest="5 + 2 promoted, 1 held out",
        largest_first=True,
    ),
    Column(
        title="Best PSNR-μ",
        tip="The best check on held-out labels in dB, and its step",
        text=words.best,
        key=lambda row: _NOTHING if row.best is None else row.best.psnr_mu,
        widest="00.00 (00,000)",
        side=RIGHT,
        largest_first=True,
    ),
    Column(
        title="Last",
        tip="PSNR-μ of the last check on held-out labels in dB",
        text=lambda row: words.decibels(row.last_psnr_mu),
        key=lambda row: _NOTHING if row.last_psnr_mu is None else row.last_psnr_mu,
        widest="00.00",
        side=RIGHT,
        largest_first=True,
    ),
    Column(
        title="Retained",
        tip="The share of the pool that its last round trusts",
        text=lambda row: percent(row.retained),
        key=lambda row: _NOTHING if row.retained is None else row.retained,
        widest="< 00 %",
        side=RIGHT,
        largest_first=True,
    ),
    Column(
        title="Took",
        tip="The work of all its sessions together",
        text=lambda row: words.took(row.seconds),
        key=lambda row: row.seconds,
        widest="00 h 00 min",
        side=RIGHT,
        largest_first=True,
    ),
    Column(
        title="Disk",
        tip="What its folder takes on disk",
        text=lambda row: words.disk(row.disk_bytes),
        key=lambda row: row.disk_bytes,
        widest="0.00 MiB",
        side=RIGHT,
        largest_first=True,
    ),
    Column(
        title="Note",
        tip="What somebody wrote about it",
        text=words.note,
        key=lambda row: words.note(row).casefold(),
        widest="a note",
    ),
)
COLUMNS: Final = tuple(
    replace(column, tip=f"{column.tip}; a click sorts", tooltip=words.in_full, spoken=column.told)
    for column in _FIGURES
)
