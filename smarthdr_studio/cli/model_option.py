"""The option `--model`: a checkpoint, a run or a bundle."""

from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[
    Path | None,
    typer.Option(
        "--model",
        "--checkpoint",  # its name when nothing but checkpoints could be given
        metavar="MODEL",
        help="A NAME.shdrmodel, a checkpoint folder, or a run folder (its best checkpoint).",
    ),
]
