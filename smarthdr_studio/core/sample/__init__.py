"""The sample dataset: brackets of computed scenes with exact ground truth."""

from smarthdr_studio.core.sample.settings import SampleSettings, SceneWritten
from smarthdr_studio.core.sample.writing import write_sample

__all__ = ["SampleSettings", "SceneWritten", "write_sample"]
