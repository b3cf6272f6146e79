"""The sample dataset is generated as the start page does it."""

import tempfile
import time
from pathlib import Path

from fabricated import write_dataset
from table import Row, row, show

from smarthdr_studio.synthetic.settings import SampleSettings


def main() -> list[Row]:
    """One run: the default settings."""
    settings = SampleSettings()
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        write_dataset(Path(folder) / "sample", settings)
        seconds = time.perf_counter() - begun
    what = f"sample of {settings.scenes} scenes of {settings.width}×{settings.height} generated"
    return [row(what, [seconds], unit="s", reach="20 s", stretch="8 s")]


if __name__ == "__main__":
    show(main())
