"""A benchmark: rows of methods and labels by seeds and claims, and when two runs are the same."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from smarthdr_studio.core.datasets.layouts import natural_key
from smarthdr_studio.core.datasets.proposal import ProposedScene, propose
from smarthdr_studio.core.datasets.scan import (
    FILE_NAME,
    read_labelled,
)
from smarthdr_studio.core.environment import resource
from smarthdr_studio.core.errors import BadDataset, PlanError
from smarthdr_studio.core.files import AnyPath, file_checksum
from smarthdr_studio.core.records import read_text, read_toml
from smarthdr_studio.core.training.plan import TrainingPlan, load_preset
from smarthdr_studio.core.training.plan_schema import differences, flat
from smarthdr_studio.core.training.plan_sections import Section
from smarthdr_studio.core.training.starter import meant_model
from smarthdr_studio.core.words import counted, demand

Metric = Literal[
    "psnr_mu",
    "psnr_l",
    "psnr_pu",
    "ssim_mu",
    "ssim_l",
    "psnr_mu_saturated",
    "psnr_mu_moving",
    "psnr_mu_static",
    "spearman",
    "ause",
    "ence",
]
Labels = Literal["few", "all"] | Annotated[int, Field(ge=0, strict=True)]

_KINDS: Final = "scenes.csv"
# Raised by whoever changes the default of a setting: an identity counts only what differs from it.
_IDENTITY: Final = 1
# What says where, how fast and how safely it is computed, not what is learned.
_NEUTRAL: Final = frozenset(
    {"preset", "seed", "device", "precision", "tile", "keep_rounds_mib", "loss.vgg_weights"}
    | {"schedule.checkpoint_every", "faults.skipped_steps", "faults.kept_batches"}
    | {"compute.accumulate", "compute.checkpointing", "compute.channels_last"}
    | {"compute.compile", "compute.deterministic"}
)


class BasePlan(Section):
    """What every row starts from: a preset, and settings by dotted key over it."""

    preset: str = "quick"
    settings: dict[str, Any] = Field(default_factory=dict, alias="set")

    @field_validator("settings", mode="before")
    @classmethod
    def _by_dotted_key(cls, values: object) -> object:
        return _dotted(values) if isinstance(values, dict) else values

    @field_validator("settings")
    @classmethod
    def _no_seed(cls, values: dict[str, Any]) -> dict[str, Any]:
        for key, where in (("seed", "seeds of the benchmark"), ("preset", "preset beside set")):
            if key in values:
                raise ValueError(f"{key} does not stand here; write it as {where}")
        return values


class Row(BasePlan):
    """One line of the table: a method with its labels.

    `labels` are those in the dataset's labelled.txt ("few"), every ground truth of the training
    scenes ("all"), or so many: those in labelled.txt first, then the others in their order. A
    method that learns from no label may have 0.
    """

    name: str = Field(min_length=1)
    labels: Labels = "few"
    preset: str = ""


class Claim(Section):
    """That one row is better than another by so much, in two senses that both must hold.

    `by` counts in the metric's unit (dB for PSNR) and may be negative: then the row may be worse
    by as much. `spreads` counts in spreads: the larger of the two rows' sample standard deviations
    over seeds.
    """

    text: str = Field(min_length=1)
    better: str
    than: str
    metric: Metric = "psnr_mu"
    by: float = 0.0
    spreads: float = Field(0.0, ge=0)


class Range(Section):
    """From where to where a setting is searched, evenly or by equal factors (`log`)."""

    low: float
    high: float
    log: bool = False

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low {self.low:g} is to be below high {self.high:g}")
        if self.log and self.low <= 0:
            raise ValueError("log needs a low above 0")
        return self


SEARCHED: Final = (
    *("loss.perceptual_weight", "loss.unlabelled_weight", "loss.beta", "schedule.learning_rate"),
)


class Search(Section):
    """Settings of one row that are tried, so many times, each measured with these seeds.

    Held-out labels say which is best. Thresholds are not among them: what a threshold keeps of
    the pseudo-labels that are there is known exactly without any trial.
    """

    row: str
    trials: int = Field(20, ge=1)
    seeds: tuple[Annotated[int, Field(ge=0, strict=True)], ...] = Field((0,), min_length=1)
    ranges: dict[str, Range] = Field(min_length=1)

    @field_validator("ranges", mode="before")
    @classmethod
    def _by_dotted_key(cls, values: object) -> object:
        """TOML reads loss.beta as a table in a table."""
        if not isinstance(values, dict):
            return values
        found: dict[str, object] = {}
        for key, value in values.items():
            inner = isinstance(value, dict) and "low" not in value
            found |= (
                {f"{key}.{name}": each for name, each in value.items()} if inner else {key: value}
            )
        return found

    @field_validator("ranges")
    @classmethod
    def _known(cls, ranges: dict[str, Range]) -> dict[str, Range]:
        for key in ranges:
            if key.startswith("masks.tau"):
                raise ValueError(
                    f"{key} is not searched: what a threshold keeps is known exactly without a "
                    "trial; make rows of it, or see the map of thresholds"
                )
            if key not in SEARCHED:
                raise ValueError(f"{key} is not searched; those that are: {', '.join(SEARCHED)}")
        return ranges


class BenchmarkPlan(Section):
    """What a benchmark file says: seeds, the base, rows and claims.

    `metrics` are the columns of its table; files of it have all of them.
    """

    description: str = ""
    metrics: tuple[Metric, ...] = Field(("psnr_mu", "psnr_l"), min_length=1)
    seeds: tuple[Annotated[int, Field(ge=0, strict=True)], ...] = Field(min_length=1)
    base: BasePlan = Field(default_factory=BasePlan)
    row: tuple[Row, ...] = Field(min_length=1)
    claim: tuple[Claim, ...] = ()
    search: Search | None = None

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        slugs = [slug(row.name) for row in self.row]
        for what, names in (
            ("seeds", list(map(str, self.seeds))),
            ("metrics", list(map(str, self.metrics))),
            ("row", slugs),
        ):
            if twice := [each for each in names if names.count(each) > 1]:
                raise ValueError(f"{what}: {twice[0]} is there twice; name each once")
        known = [row.name for row in self.row]
        if self.search is not None and self.search.row not in known:
            raise ValueError(f"search: {self.search.row!r} is no row")
        for claim in self.claim:
            for name in (claim.better, claim.than):
                if name not in known:
                    raise ValueError(
                        f"claim: {name!r} is no row; the rows are {', '.join(map(repr, known))}"
                    )
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A benchmark file that was read: `name` is that of the file without .toml."""

    name: str
    path: Path
    plan: BenchmarkPlan


def shipped_benchmarks() -> tuple[str, ...]:
    """The names of the benchmarks that ship with the program."""
    return tuple(sorted(path.stem for path in resource("benchmarks").glob("*.toml")))


def load_benchmark(name: str) -> Benchmark:
    """A benchmark by name or TOML path, every plan of its rows checked.

    Raises PlanError, one sentence with the file and the key.
    """
    path = Path(name) if name.endswith(".toml") else resource("benchmarks", f"{name}.toml")
    if not path.is_file():
        raise PlanError(
            f"{name}: no such benchmark; there are {', '.join(shipped_benchmarks())}, "
            "or a .toml file"
        )
    values = _read_toml(path)
    try:
        plan = BenchmarkPlan.model_validate(values)
    except ValidationError as error:
        raise PlanError(f"{path}: {_in_words(error)}") from None
    benchmark = Benchmark(name=path.stem, path=path, plan=plan)
    for row in plan.row:
        needs_labels = training_plan(benchmark, row, seed=plan.seeds[0]).needs_labels
        if needs_labels and row.labels == 0:
            raise PlanError(
                f"{path}: row {row.name!r}: labels is 0, but its method learns from labels; "
                "give it one, or set system to selfhdr"
            )
    return benchmark


def training_plan(benchmark: Benchmark, row: Row, *, seed: int) -> TrainingPlan:
    """What one cell of a row is trained by. Raises PlanError with the file and the row."""
    changes = {**benchmark.plan.base.settings, **row.settings, "seed": seed}
    try:
        return load_preset(_preset(benchmark, row), changes=changes)
    except PlanError as error:
        raise PlanError(f"{benchmark.path}: row {row.name!r}: {error}") from None


def slug(name: str) -> str:
    """A name as a file may be called."""
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-") or "row"


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkData:
    """What a benchmark knows of a dataset without opening a picture.

    `pool` are the training scenes that have a ground truth, `listed` those in labelled.txt, both
    in order; `kinds` says of what kind a scene is, where scenes.csv tells. `fingerprint` is another
    one when a scene, labelled.txt or the size of a file is.
    """

    root: Path
    name: str
    fingerprint: str
    scenes: int
    pool: tuple[str, ...]
    listed: tuple[str, ...]
    kinds: Mapping[str, str] = field(default_factory=dict)


def read_data(dataset: AnyPath) -> BenchmarkData:
    """Looks through a dataset folder. Raises BadDataset or ProjectError."""
    root = Path(dataset).expanduser().resolve()
    found = sorted(propose(root).scenes, key=lambda each: natural_key(each.id))
    pool = tuple(each.id for each in found if each.split == "train" and each.files.ground_truths)
    file = root / FILE_NAME
    listed = read_labelled(file) if file.is_file() else ()
    if unknown := [name for name in listed if name not in pool]:
        raise BadDataset(
            f"{file}: {unknown[0]} is no training scene with a ground truth; take it out of there"
        )
    return BenchmarkData(
        root=root,
        name=root.name,
        fingerprint=_fingerprint(root, found),
        scenes=len(found),
        pool=pool,
        listed=listed,
        kinds=_read_kinds(root / _KINDS, found),
    )


def labels_of(row: Row, data: BenchmarkData) -> tuple[str, ...]:
    """The ids a row learns from. Raises BadDataset where the dataset has fewer."""
    ordered = (*data.listed, *(name for name in data.pool if name not in data.listed))
    count = len(data.listed) if row.labels == "few" else row.labels
    if count == "all":
        count = len(ordered)
    if row.labels != 0 and not count:
        raise BadDataset(
            f"{data.root}: names no label for row {row.name!r}; list some in {FILE_NAME}"
        )
    if count > len(ordered):
        raise BadDataset(
            f"{data.root}: has {counted(len(ordered), 'ground truth')} to learn from, "
            f"not {count}; give row {row.name!r} fewer labels"
        )
    return ordered[:count]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One row with one seed on one dataset: a run. Cells of one identity share it.

    `settings` is what differs from the preset, by dotted key; of a file only its name.
    """

    row: str
    seed: int
    labels: tuple[str, ...]
    plan: TrainingPlan
    settings: Mapping[str, Any]
    identity: str

    @property
    def title(self) -> str:
        """As a person knows it."""
        return f"{self.row}, seed {self.seed}"


def cells_of(benchmark: Benchmark, data: BenchmarkData) -> tuple[Cell, ...]:
    """Every cell, seed by seed, so that a first answer is there early. Raises StudioError."""
    labels = {row.name: labels_of(row, data) for row in benchmark.plan.row}
    return tuple(
        cell_of(benchmark, row, seed=seed, labels=labels[row.name], dataset=data.fingerprint)
        for seed in benchmark.plan.seeds
        for row in benchmark.plan.row
    )


def cell_of(
    benchmark: Benchmark, row: Row, *, seed: int, labels: Collection[str], dataset: str
) -> Cell:
    """One cell; `dataset` is the fingerprint. Raises PlanError."""
    plan = training_plan(benchmark, row, seed=seed)
    counted = _counted(plan, also=row.settings)
    parts = [_IDENTITY, sorted(counted.items()), sorted(labels), dataset, seed]
    values, preset = flat(plan), load_preset(_preset(benchmark, row))
    return Cell(
        row=row.name,
        seed=seed,
        labels=tuple(labels),
        plan=plan,
        settings={
            key: values[key] if key not in _PATHS else Path(str(values[key])).name
            for key in differences(plan, preset)
            if key not in ("seed", "preset")
        },
        identity=hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16],
    )


_PATHS: Final = ("network.start_from", "loss.vgg_weights")


def _counted(plan: TrainingPlan, *, also: Collection[str]) -> dict[str, Any]:
    """What of a plan decides what is learned, and what a row itself sets beside it.

    Settings at their default do not count, so that a setting added later changes no identity; of
    weights to start from their content does, wherever they lie.
    """
    defaults = flat(TrainingPlan())
    counted = {
        key: value
        for key, value in flat(plan).items()
        if value != defaults[key] and (key in also or key not in _NEUTRAL)
    }
    if weights := counted.get("network.start_from"):
        path = meant_model(weights)
        counted["network.start_from"] = file_checksum(path) if path.is_file() else path.name
    return counted


def _preset(benchmark: Benchmark, row: Row) -> str:
    """The preset of a row; a file is meant as the benchmark's file has it beside it."""
    name = row.preset or benchmark.plan.base.preset
    return str(benchmark.path.parent / name) if name.endswith(".toml") else name


def _dotted(values: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found |= {f"{key}.{name}": below for name, below in _dotted(value).items()}
        else:
            found[key] = value
    return found


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return read_toml(path)
    except ValueError as error:
        raise PlanError(f"{path}: not readable as TOML ({error}); mend that line") from None
    except OSError as error:
        raise PlanError(f"{path}: cannot be read ({error.strerror}); allow reading it") from None


_SECTIONS: Final[Mapping[str, type[Section]]] = {
    "base": BasePlan,
    "row": Row,
    "claim": Claim,
    "search": Search,
}


def _in_words(error: ValidationError) -> str:
    """The first complaint: the key, and what is allowed there."""
    first = error.errors(include_url=False)[0]
    if not first["loc"]:
        return first["msg"].removeprefix("Value error, ")
    section, *inner = first["loc"]
    number = inner.pop(0) if inner and isinstance(inner[0], int) else None
    where = "" if not inner else f"{section}: "
    if isinstance(number, int):
        where = f"{section} {number + 1}: "
    key = str(inner[0] if inner else section)
    if first["type"] == "extra_forbidden":
        known = _SECTIONS[str(section)] if inner else BenchmarkPlan
        names = [info.alias or name for name, info in known.model_fields.items()]
        return f"{where}{key}: no such key; allowed here: {', '.join(names)}"
    if key == "labels":
        return f'{where}labels is {first["input"]!r}: "few", "all", or a number from 0 on'
    if first["type"] == "missing":
        return f"{where}{key} is missing; write it there"
    return f"{where}{key}: {demand(first)}"


def _fingerprint(root: Path, found: Sequence[ProposedScene]) -> str:
    listing = root / FILE_NAME
    parts: list[Any] = [file_checksum(listing) if listing.is_file() else ""]
    for each in found:
        one = each.files
        beside = [path for path in (one.exposures, one.align_ratio) if path is not None]
        files = (*one.frames, *one.ground_truths, *beside)
        sizes = [(path.relative_to(root).as_posix(), path.stat().st_size) for path in files]
        parts.append([each.id, each.split, sizes])
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _read_kinds(path: Path, found: Sequence[ProposedScene]) -> dict[str, str]:
    """The kind of each scene by id, from a table that names scenes by their folders."""
    if not path.is_file():
        return {}
    try:
        table = csv.DictReader(io.StringIO(read_text(path), newline=""))
        told = {line["scene"]: line["kind"] for line in table}
    except (OSError, ValueError, csv.Error, KeyError):
        raise BadDataset(
            f"{path}: cannot be read; give it a column scene and a column kind, or take it away"
        ) from None
    ids = {"/".join(each.files.parts): each.id for each in found}
    return {ids[scene]: kind for scene, kind in told.items() if scene in ids}
