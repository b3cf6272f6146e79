"""The table of verbs, and how an error becomes one sentence and an exit status."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Final

import typer

from smarthdr_studio import __version__
from smarthdr_studio.cli import (
    decide,
    doctor,
    evaluate,
    export_run,
    handover,
    label,
    masks,
    merge,
    new,
    presets,
    queue,
    relocate,
    runs_compare,
    runs_keep,
    runs_list,
    runs_steer,
    sample,
    tidy,
    train,
    truth,
)
from smarthdr_studio.cli.exit_codes import BAD_INPUT, DONE, FAILED, INTERRUPTED, TABLE
from smarthdr_studio.cli.output import complain
from smarthdr_studio.core.errors import DeviceError, StudioError
from smarthdr_studio.core.processes import place_of_process

# typer carries its own copy of click, whose errors it exports only by their leaves.
_UsageError: Final[type[Exception]] = typer.BadParameter.__bases__[0]

_VERBS: Final[Mapping[str, Callable[..., int | None]]] = {
    "sample": sample.sample,
    "new": new.new,
    "train": train.train,
    "label": label.label,
    "masks": masks.masks,
    "scenes": queue.scenes,
    "queue": queue.queue,
    "propose": queue.propose,
    "promote": decide.promote,
    "demote": decide.demote,
    "exclude": decide.exclude,
    "restore": decide.restore,
    "truth": truth.truth,
    "note": decide.annotate,
    "history": decide.history,
    "undo": decide.undo,
    "redo": decide.redo,
    "import-split": handover.import_split,
    "export-split": handover.export_split,
    "export-journal": handover.export_journal,
    "export-dataset": handover.export_dataset,
    "report": handover.report,
    "evaluate": evaluate.evaluate,
    "merge": merge.merge,
    "doctor": doctor.doctor,
    "relocate": relocate.relocate,
    "tidy": tidy.tidy,
}

_RUNS: Final[Mapping[str, Callable[..., int | None]]] = {
    "list": runs_list.list_,
    "show": runs_list.show,
    "compare": runs_compare.compare,
    "export": export_run.export,
    "resume": runs_steer.resume,
    "pause": runs_steer.pause,
    "go-on": runs_steer.go_on,
    "stop": runs_steer.stop,
    "snapshot": runs_steer.snapshot,
    "next-round": runs_steer.next_round,
    "set": runs_steer.set_,
    "note": runs_keep.note_,
    "back": runs_keep.back,
    "discard": runs_keep.discard,
    "restore": runs_keep.restore,
}

_PRESETS: Final[Mapping[str, Callable[..., int | None]]] = {
    "list": presets.list_,
    "show": presets.show,
}


def run(words: Sequence[str]) -> int:
    """Run the verb these words ask for; the answer is the exit status.

    Of several processes on a machine the first says what cannot be, as the others were asked the
    same; only what is wrong with a device each says of its own.

    Raises KeyboardInterrupt: stopped with Ctrl-C, when the verb has put things in order.
    """
    try:
        answer = build()(args=list(words), prog_name="smarthdr-studio", standalone_mode=False)
    except (StudioError, _UsageError) as error:
        if place_of_process().local_rank == 0 or isinstance(error, DeviceError):
            complain(_sentence(error))
        return BAD_INPUT
    except typer.Abort:
        raise KeyboardInterrupt from None
    except BrokenPipeError:
        # Whoever read our answers has left; the interpreter must not stumble over it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    if answer == INTERRUPTED:  # what typer answers after Ctrl-C
        raise KeyboardInterrupt
    return answer if isinstance(answer, int) else DONE


def _sentence(error: Exception) -> str:
    if isinstance(error, StudioError):
        return str(error)
    sentence: str = getattr(error, "format_message", error.__str__)()
    return sentence.replace("Value error, ", "")  # the check that noticed it names itself


def build() -> typer.Typer:
    """The command-line application with every verb."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.callback(no_args_is_help=True, epilog=TABLE)(_about)
    for name, verb in _VERBS.items():
        app.command(name)(verb)
    app.add_typer(_group(_RUNS, about=_about_runs), name="runs")
    app.add_typer(_group(_PRESETS, about=_about_presets), name="presets")
    return app


def _group(
    verbs: Mapping[str, Callable[..., int | None]], *, about: Callable[[], None]
) -> typer.Typer:
    group = typer.Typer(rich_markup_mode=None)
    group.callback(no_args_is_help=True)(about)
    for name, verb in verbs.items():
        group.command(name)(verb)
    return group


def _about_presets() -> None:
    """List the plans to train by, and show every setting of one.

    Every verb takes --help and --json.
    """


def _about_runs() -> None:
    """List, compare and steer training runs.

    Every verb takes --help and --json.
    """


def _show_version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"smarthdr-studio {__version__}\n")
        raise typer.Exit


def _about(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Say which.")
    ] = False,
) -> None:
    """See, judge and promote HDR pseudo-labels, and train the teacher that makes them.

    `smarthdr-studio` opens the window, `smarthdr-studio PROJECT` opens it on a project or a
    dataset folder. Every verb takes --help and --json.
    """
