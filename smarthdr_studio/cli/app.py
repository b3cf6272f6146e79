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
    handover,
    label,
    masks,
    merge,
    new,
    queue,
    relocate,
    sample,
    tidy,
    train,
    truth,
)
from smarthdr_studio.cli.output import complain
from smarthdr_studio.core.errors import StudioError

DONE: Final = 0
FAILED: Final = 1
BAD_INPUT: Final = 2
_CTRL_C: Final = 130  # what typer answers after it

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


def run(words: Sequence[str]) -> int:
    """Run the verb these words ask for; the answer is the exit status.

    Raises KeyboardInterrupt: stopped with Ctrl-C, when the verb has put things in order.
    """
    try:
        answer = build()(args=list(words), prog_name="smarthdr-studio", standalone_mode=False)
    except StudioError as error:
        complain(str(error))
        return BAD_INPUT
    except _UsageError as error:
        sentence = getattr(error, "format_message", error.__str__)()
        complain(sentence.replace("Value error, ", ""))  # the check that noticed it names itself
        return BAD_INPUT
    except typer.Abort:
        raise KeyboardInterrupt from None
    except BrokenPipeError:
        # Whoever read our answers has left; the interpreter must not stumble over it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    if answer == _CTRL_C:
        raise KeyboardInterrupt
    return answer if isinstance(answer, int) else DONE


def build() -> typer.Typer:
    """The command-line application with every verb."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.callback(no_args_is_help=True)(_about)
    for name, verb in _VERBS.items():
        app.command(name)(verb)
    return app


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
