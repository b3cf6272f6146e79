"""What is done with both trees; every check is a function that leaves its outputs in a folder."""

import re
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

from sides import INTERRUPT, KILL, Recorder, Side, copy_project, events_of

SAMPLE = "sample data --scenes 12 --size 192x160 --seed 5"
SHORT = (
    "--set schedule.epochs=4 --set schedule.warmup_epochs=1 --set schedule.steps_per_epoch=6 "
    "--set schedule.refresh_every=1 --set batch.labelled=2 --set batch.unlabelled=2 --device cpu"
)
SHORTEST = (
    "--set schedule.epochs=2 --set schedule.warmup_epochs=1 --set schedule.steps_per_epoch=2 "
    "--set schedule.refresh_every=1 --set batch.labelled=2 --set batch.unlabelled=2 "
    "--set network.name=light --set loss.perceptual_weight=0 --set held_out=1 --device cpu"
)
SYSTEMS = (
    "fixmatch",
    "mean-teacher",
    "no-patch-mask",
    "no-pixel-mask",
    "no-uncertainty",
    "paper",
    "supervised",
    "weak-augmentation",
)

LOOK = f"""
both scenes p.shdr
both scenes p.shdr --where "status:unlabelled retained<0.6" --sort retained --descending
both masks p.shdr
both masks p.shdr --tau-patch 0.6 --tau-pixel 0.2 --normalisation percentile --pixel-scope pool
both queue p.shdr
both queue p.shdr --kind safest --top 3
both scenes p.shdr --sort motion
both propose p.shdr
both propose p.shdr --retained 0.2 --rounds 1
both evaluate p.shdr --device cpu
both evaluate p.shdr --device cpu --run last --which 2 --split held-out
json evaluate p.shdr --device cpu --split unlabelled --model b.shdrmodel
both history p.shdr
both runs list p.shdr
both runs show p.shdr
both runs show p.shdr {{first}} --lines 3
both runs compare p.shdr {{first}} {{second}}
both runs list p.shdr --discarded
both doctor p.shdr
both tidy p.shdr
both presets list
both presets show quick
both presets show paper
both presets show no-pixel-mask --changed
both doctor
both train p.shdr --preset quick --set masks.tau_patch=0.3 --print-command
both train p.shdr --from last --seed 9 --print-command
json train p.shdr --preset quick {SHORTEST} --estimate
text --version
"""

DECIDE = """
both masks p.shdr --tau-patch 0.7 --tau-pixel 0.3 --save
json promote p.shdr 002 003 --note "looks well"
text promote p.shdr 004 --whole
json exclude p.shdr 005
json demote p.shdr 003 --note "moves"
json restore p.shdr 005
json note p.shdr 005 006 --note "a note" --tag sky --tag moves
text note p.shdr 006 --untag sky
both truth p.shdr 006
both truth p.shdr 007 {shared}/data/Training/007/HDRImg.hdr --check
json truth p.shdr 007 {shared}/data/Training/007/HDRImg.hdr --note brought
json truth p.shdr 003 {shared}/data/Training/002/HDRImg.hdr --check
both truth p.shdr 003 {shared}/data/Training/002/HDRImg.hdr
json truth p.shdr 003 {shared}/data/Training/003/input_1.tif \
{shared}/data/Training/003/input_2.tif {shared}/data/Training/003/input_3.tif \
--evs 0,3,6 --fix --force
json undo p.shdr
text undo p.shdr
json redo p.shdr
json propose p.shdr --retained 0.01 --rounds 1 --promote
json undo p.shdr
both history p.shdr
both scenes p.shdr
both scenes p.shdr --where "tag:moves"
json label p.shdr --device cpu
text label p.shdr --device cpu --scenes 003 --model b.shdrmodel
json label p.shdr --device cpu --split test
both runs show p.shdr
json runs back p.shdr last
text history p.shdr --limit 3
json undo p.shdr
both doctor p.shdr
"""

HANDOVER = """
json promote p.shdr 002 003
json exclude p.shdr 004
json export-split p.shdr split.csv
text export-split p.shdr split.json
json export-journal p.shdr journal.csv
text export-journal p.shdr journal.json
json export-dataset p.shdr curated
text export-dataset p.shdr copied --copy --labels exr --with-unlabelled
json report p.shdr report.html
text report p.shdr some.html --scenes 002 --scenes 003
json new again.shdr copied --labelled 2
do write names.txt 002,005
json import-split p.shdr names.txt --dry-run
text import-split p.shdr names.txt --note "by hand"
do write changes.txt 006=excluded,007=unlabelled
both import-split p.shdr changes.txt
json import-split p.shdr split.csv
text import-split p.shdr split.json
json undo p.shdr
both history p.shdr
json new counted.shdr {shared}/data --labelled 3
text new listed.shdr {shared}/data --labelled-from {shared}/data/labelled.txt
"""

MEND = """
json promote p.shdr 002 003 004
json label p.shdr --device cpu --scenes 002
json demote p.shdr 002
json promote p.shdr 002
both tidy p.shdr --older-versions --dry-run
json tidy p.shdr --older-versions
do damage p.shdr/labels/003/1.exr
do litter p.shdr/labels/004/99.exr
do remove p.shdr/labels/004/1.exr
both doctor p.shdr
json doctor p.shdr --repair
text doctor p.shdr
json runs note p.shdr last "worth a look"
text runs note p.shdr last
json runs discard p.shdr {first}
both runs list p.shdr
both runs list p.shdr --discarded
json tidy p.shdr
json runs restore p.shdr {first}
text runs discard p.shdr {second}
json tidy p.shdr --empty-trash
both runs list p.shdr
do copy {shared}/data moved/data
json relocate p.shdr moved/data
text relocate p.shdr {shared}/data
do copy-project p.shdr broken.shdr
json doctor broken.shdr
do damage broken.shdr/project.sqlite
both doctor broken.shdr
json doctor broken.shdr --repair
json scenes broken.shdr
do damage b.shdrmodel
json merge {frames} -o out.exr --model b.shdrmodel --device cpu
"""

REFUSE = """
text scenes nowhere.shdr
json promote p.shdr 999
json promote p.shdr Test-011
json truth p.shdr 999
text scenes p.shdr --where "retained<<1"
json queue p.shdr --kind odd
text note p.shdr 002
json undo p.shdr
text redo p.shdr
json runs show p.shdr no-such-run
text runs compare p.shdr last
json runs pause p.shdr
text runs stop p.shdr last
json runs set p.shdr
text runs discard p.shdr nothing
json runs restore p.shdr nothing
text runs export p.shdr last -o wrong.txt
json evaluate p.shdr --run last --model b.shdrmodel
text evaluate p.shdr --run last --which 77
json merge {frames} -o wrong.png
text merge {frames} -o out.exr --evs 1,2
json train p.shdr --preset no-such
text train p.shdr --preset quick --set schedule.epochs=none-at-all
json train p.shdr --preset quick --set nothing.at=1
text train p.shdr --resume last
json train p.shdr --resume last --from last
json new p.shdr {shared}/data
text new q.shdr nowhere
json new q.shdr {shared}/data --labelled 999
json import-split p.shdr missing.txt
text export-split p.shdr split.odd
json relocate p.shdr nowhere
text doctor nowhere.shdr
json doctor --repair
text presets show no-such
json sample data2 --size 3x3
"""


def prepare(side: Side) -> None:
    """What both sides start from, made by the old one: data, a trained project, two broken off."""
    side.shared.mkdir(parents=True)
    made = Recorder(side, side.shared)
    for line in (
        SAMPLE,
        "new trained.shdr data",
        f"train trained.shdr --preset quick --seed 3 {SHORT}",
        f"train trained.shdr --preset no-patch-mask --seed 4 {SHORTEST}",
        "runs export trained.shdr last -o b.shdrmodel",
        "new stopped.shdr data",
        "new killed.shdr data",
    ):
        if made.verb(line) != 0:
            raise RuntimeError(f"the old tree could not: {line}; see {side.shared}")
    for name, number, code in (("stopped", INTERRUPT, 3), ("killed", KILL, -KILL)):
        line = f"train {name}.shdr --preset quick --seed 3 {SHORT}"
        if made.train_until(line, step=10, signal_number=number) != code:
            raise RuntimeError(f"the old tree was not {name}; see {side.shared}")


def runs_in(project: Path) -> list[str]:
    """The runs of a project, the oldest first."""
    return sorted(path.name for path in (project / "runs").iterdir())


def help_texts(side: Side, folder: Path) -> None:
    """The help of every verb there is."""
    asked = Recorder(side, folder)
    asked.verb("--help")
    for verb in verbs_of(side):
        asked.verb(f"{verb} --help")


def verbs_of(side: Side) -> Iterable[str]:
    """Every verb the help names, with the groups themselves."""
    for name in _commands(side, []):
        yield name
        for inner in _commands(side, [name]):
            yield f"{name} {inner}"


def _commands(side: Side, words: list[str]) -> list[str]:
    told = subprocess.run(
        side.command([*words, "--help"]),
        env=side.environment(),
        cwd=side.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    _, _, table = told.stdout.partition("\nCommands:\n")
    return re.findall(r"^  ([a-z][a-z-]*)  ", table.partition("\n\n")[0] + "  ", re.MULTILINE)


def sample(side: Side, folder: Path) -> None:
    """The sample dataset, drawn from nothing and from radiance maps."""
    Recorder(side, folder).play(
        f"""
        json {SAMPLE}
        json sample from --from {{shared}}/data/Training/001 --scenes 3 --size 160x128
        """
    )


def train(side: Side, folder: Path) -> None:
    """A project, and a short run of `quick`."""
    Recorder(side, folder).play(
        f"""
        json new p.shdr {{shared}}/data
        json train p.shdr --preset quick --seed 3 {SHORT}
        both runs show p.shdr
        both masks p.shdr
        """
    )


def presets(side: Side, folder: Path) -> None:
    """A very short run of every other preset, with the light network."""
    asked = Recorder(side, folder)
    asked.verb("new p.shdr {shared}/data --labelled 3")
    for name in SYSTEMS:
        asked.verb(f"train p.shdr --preset {name} --seed 2 {SHORTEST} --json")
    asked.verb(f"train p.shdr --preset quick --seed 6 {SHORTEST} --set network.name=gfhdr --json")
    asked.verb("train p.shdr --from last --with-weights --set schedule.epochs=1 --json")


def _on_a_copy(script: str) -> Callable[[Side, Path], None]:
    """A check that plays a script on a copy of the trained project."""

    def act(side: Side, folder: Path) -> None:
        copy_project(side.shared / "trained.shdr", folder / "p.shdr")
        (folder / "b.shdrmodel").write_bytes((side.shared / "b.shdrmodel").read_bytes())
        first, second = runs_in(folder / "p.shdr")
        frames = " ".join(f"{side.shared}/data/Test/011/input_{n}.tif" for n in (1, 2, 3))
        given = {"first": first, "second": second, "frames": frames, "shared": side.shared}
        Recorder(side, folder).play(script.format(**given))

    return act


def export(side: Side, folder: Path) -> None:
    """Models of old runs as files, and what merges with them."""
    copy_project(side.shared / "trained.shdr", folder / "p.shdr")
    first, second = runs_in(folder / "p.shdr")
    frames = " ".join(f"{{shared}}/data/Test/011/input_{n}.tif" for n in (1, 2, 3))
    Recorder(side, folder).play(
        f"""
        json runs export p.shdr {first} -o best.shdrmodel
        text runs export p.shdr {second} -o last.shdrmodel --which last --what student
        json runs export p.shdr {first} -o step.safetensors --which 2 --as safetensors
        json runs export p.shdr {first} -o graph.pt --as torchscript
        json runs export p.shdr {first} -o graph.onnx --as onnx
        json merge {frames} -o plain.exr
        json merge {frames} -o best.exr --model best.shdrmodel --device cpu
        text merge {frames} -o olds.exr --model {{shared}}/b.shdrmodel --device cpu
        json merge {frames} -o run.exr --model p.shdr/runs/{first} --evs 0,3,6 --device cpu
        """
    )


def resume(side: Side, folder: Path) -> None:
    """Runs that the old tree broke off, gone on with to their end."""
    asked = Recorder(side, folder)
    for name in ("stopped", "killed"):
        copy_project(side.shared / f"{name}.shdr", folder / f"{name}.shdr")
    asked.play(
        """
        both runs list stopped.shdr
        both runs list killed.shdr
        both doctor killed.shdr
        json scenes killed.shdr
        json train stopped.shdr --resume last
        json runs resume killed.shdr last
        both runs show stopped.shdr
        both runs show killed.shdr
        """
    )


def steer(side: Side, folder: Path) -> None:
    """A run at work that is steered; when it hears is chance, so only the answers count."""
    asked = Recorder(side, folder)
    asked.verb("new p.shdr {shared}/data")
    process = asked.begin(f"train p.shdr --preset quick {SHORT} --set schedule.epochs=90 --json")
    script = """
        json runs pause p.shdr
        json runs set p.shdr --learning-rate 0.0005 --refresh-every 2
        text runs go-on p.shdr
        json runs go-on p.shdr
        json runs snapshot p.shdr last
        json runs next-round p.shdr
        json runs stop p.shdr
        """
    steered = set()
    for event in events_of(process):
        if event.get("event") == "StepReported" and event["step"] == 8:
            asked.play(script)
        if event.get("event") == "Steered":
            steered.add(event["text"])
    asked.write("the run", process.wait(60), "\n".join(sorted(steered)), "")
    asked.verb("train p.shdr --resume last --print-command")


CHECKS: dict[str, Callable[[Side, Path], None]] = {
    "help": help_texts,
    "sample": sample,
    "train": train,
    "presets": presets,
    "look": _on_a_copy(LOOK),
    "decide": _on_a_copy(DECIDE),
    "handover": _on_a_copy(HANDOVER),
    "mend": _on_a_copy(MEND),
    "refuse": _on_a_copy(REFUSE),
    "export": export,
    "resume": resume,
    "steer": steer,
}
ANSWERS_ONLY = {"steer"}
