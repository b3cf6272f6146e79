"""The table of verbs, and how an error becomes one sentence and an exit status."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Final

import typer

from smarthdr_studio import __version__
from smarthdr_studio.cli import (
    BAD_INPUT,
    DONE,
    EXIT_STATUS,
    FAILED,
    INTERRUPTED,
    benchmark,
    curation,
    desktop,
    doctor,
    ground_truth,
    import_export,
    inference,
    masks,
    plans,
    project,
    reading,
    runs,
    sample,
    steering,
    train,
)
from smarthdr_studio.cli.output import NobodyHears, print_error
from smarthdr_studio.core.environment import process_rank
from smarthdr_studio.core.errors import DeviceError, StudioError
from smarthdr_studio.core.records import NoPlainFile
from smarthdr_studio.core.words import demand

# typer carries its own copy of click, whose errors it exports only by their leaves.
_UsageError: Final[type[Exception]] = typer.BadParameter.__bases__[0]

_VERBS: Final[Mapping[str, Callable[..., int | None]]] = {
    "sample": sample.sample,
    "new": project.new,
    "train": train.train,
    "label": inference.label,
    "masks": masks.masks,
    "scenes": curation.scenes,
    "queue": curation.queue,
    "propose": curation.propose,
    "promote": curation.promote,
    "demote": curation.demote,
    "exclude": curation.exclude,
    "restore": curation.restore,
    "truth": ground_truth.truth,
    "note": curation.annotate,
    "history": curation.history,
    "undo": curation.undo,
    "redo": curation.redo,
    "import-split": import_export.import_split,
    "export-split": import_export.export_split,
    "export-journal": import_export.export_journal,
    "export-dataset": import_export.export_dataset,
    "report": import_export.report,
    "evaluate": inference.evaluate,
    "merge": inference.merge,
    "benchmark": benchmark.benchmark,
    "doctor": doctor.doctor,
    "align": reading.align,
    "response": reading.response,
    "frames": reading.frames,
    "relocate": project.relocate,
    "accept": project.accept,
    "tidy": project.tidy,
}

_RUNS: Final[Mapping[str, Callable[..., int | None]]] = {
    "list": runs.list_runs,
    "show": runs.show_run,
    "compare": runs.compare_runs,
    "export": runs.export,
    "resume": steering.resume_run,
    "pause": steering.pause,
    "go-on": steering.go_on,
    "stop": steering.stop,
    "snapshot": steering.snapshot,
    "next-round": steering.next_round,
    "set": steering.change_schedule,
    "note": runs.annotate_run,
    "back": runs.back,
    "discard": runs.discard,
    "restore": runs.restore,
}

_PRESETS: Final[Mapping[str, Callable[..., int | None]]] = {
    "list": plans.list_presets,
    "show": plans.show_preset,
}


_DESKTOP: Final[Mapping[str, Callable[..., int | None]]] = {
    "install": desktop.install,
    "remove": desktop.remove,
}


# What Path.resolve says of it up to Python 3.12; from 3.13 on it leaves such a link as it is.
_LINK_LOOP: Final = "Symlink loop from "
_QUOTES: Final = "'\""


def run(words: Sequence[str]) -> int:
    """Run the verb these words ask for; the answer is the exit status.

    Of several processes on a machine the first says what cannot be, as the others were asked the
    same; only what is wrong with a device each says of its own.

    Raises KeyboardInterrupt: stopped with Ctrl-C, when the verb has put things in order.
    """
    try:
        answer = _command()(args=list(words), prog_name="smarthdr-studio", standalone_mode=False)
    except (StudioError, _UsageError) as error:
        _refuse(error)
        return BAD_INPUT
    except typer.Abort:
        raise KeyboardInterrupt from None
    except BrokenPipeError:
        # Whoever read our answers has left.
        _answer_nobody()
        return FAILED
    except NobodyHears as error:
        _answer_nobody()
        print_error(f"The answer could not be written ({error}); what was done is kept.")
        return FAILED
    except (OSError, MemoryError, RuntimeError) as error:
        print_error(_of_the_system(error))
        return FAILED
    if answer == INTERRUPTED:  # what typer answers after Ctrl-C
        raise KeyboardInterrupt
    return answer if isinstance(answer, int) else DONE


def _refuse(error: Exception) -> None:
    """Say in a sentence what cannot be; a group of verbs of which none was named shows its help."""
    context = getattr(error, "ctx", None)
    told = "" if context is None else str(context.get_help())
    if told and told == getattr(error, "message", None):
        sys.stderr.write(f"{told}\n")
    elif process_rank().local_rank == 0 or isinstance(error, DeviceError):
        print_error(_sentence(error))


def _answer_nobody() -> None:
    """The interpreter must not stumble at its exit over an answer that nobody takes."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _of_the_system(error: OSError | MemoryError | RuntimeError) -> str:
    """What the system refused, where the verb itself had no word for it.

    Another RuntimeError is a fault of ours and goes on its way.
    """
    if isinstance(error, RuntimeError):
        _, is_loop, path = str(error).partition(_LINK_LOOP)
        if not is_loop:
            raise error
        return f"{path.strip(_QUOTES)}: a link that leads to itself; name a folder or a file."
    if isinstance(error, MemoryError):
        return "There is not enough memory for this; close other programs, or choose fewer scenes."
    reason = error.strerror or type(error).__name__
    where = "" if error.filename is None else f"{error.filename}: "
    if isinstance(error, NoPlainFile):
        return f"{where}is no plain file; move it away."
    if isinstance(error, PermissionError):
        return f"{where}{reason}; allow reading and writing there."
    return f"{where}{reason}; free some space, or choose a place you may write to."


def _sentence(error: Exception) -> str:
    if isinstance(error, StudioError):
        return str(error)
    sentence: str = getattr(error, "format_message", error.__str__)()
    if (complaint := _complaint(error.__cause__)) is not None:
        return sentence.replace(complaint["msg"], demand(complaint))
    return sentence


def _complaint(cause: BaseException | None) -> Mapping[str, Any] | None:
    """What pydantic has against an option, whose own words are for programmers."""
    from pydantic import ValidationError

    return cause.errors(include_url=False)[0] if isinstance(cause, ValidationError) else None


@cache
def _command() -> Callable[..., object]:
    """All verbs, made once: the options of each are read from its signature."""
    return typer.main.get_command(build())


def build() -> typer.Typer:
    """The command-line application with every verb."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.callback(no_args_is_help=True, epilog=EXIT_STATUS)(_about)
    for name, verb in _VERBS.items():
        app.command(name)(verb)
    app.add_typer(_group(_RUNS, about=_about_runs), name="runs")
    app.add_typer(_group(_PRESETS, about=_about_presets), name="presets")
    app.add_typer(_group(_DESKTOP, about=_about_desktop), name="desktop")
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


def _about_desktop() -> None:
    """Put the studio into the menu of a Linux desktop, with its file types, or take it out.

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
    """See, check and promote HDR pseudo-labels, and train the teacher that makes them.

    `smarthdr-studio` opens the window, `smarthdr-studio PROJECT` opens it on a project or a
    dataset folder. Every verb takes --help and --json.
    """
