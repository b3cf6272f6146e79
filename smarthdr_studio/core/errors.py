"""The errors a person can mend; every message names the file and the remedy.

StudioError
├── UnreadableImage    an image file that cannot be decoded
├── BadScene           a bracket that cannot be used as it lies on disk
├── BadDataset         a folder in which no scene was found
├── ProjectError       a project that cannot be opened or written
├── LabelError         a pseudo-label or label file that cannot be used
├── PlanError          a training setting that is not allowed
├── CheckpointError    weights or a checkpoint that cannot be loaded
├── ExportError        a picture that cannot be exported
└── DeviceError        a device or a resource that is not there
"""


class StudioError(Exception):
    """Something a person can mend. `str(error)` is one sentence for the screen."""


class UnreadableImage(StudioError):
    """An image file is missing, truncated or of an unknown kind."""


class BadScene(StudioError):
    """The files of one scene contradict each other or are incomplete."""


class BadDataset(StudioError):
    """No scene was found where a dataset was expected."""


class ProjectError(StudioError):
    """A project folder is missing, foreign, too new or not writable."""


class LabelError(StudioError):
    """A pseudo-label or label file is missing, damaged or of another size."""


class PlanError(StudioError):
    """A training setting is unknown or outside what is allowed."""


class CheckpointError(StudioError):
    """Weights or a checkpoint cannot be loaded."""


class ExportError(StudioError):
    """A layer has nothing to export, or the file cannot be written."""


class DeviceError(StudioError):
    """A device, a driver or a resource a run needs is not there."""
