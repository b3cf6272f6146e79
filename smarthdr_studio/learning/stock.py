"""Where whole pictures wait for their crops to be cut: in memory, or on the device if they fit."""

from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.frames import FrameStore

Picture = np.ndarray[Any, Any] | Tensor
Place = tuple[slice, slice]

# The rest of a device's memory belongs to the network and its gradients.
_SHARE_OF_DEVICE: Final = 0.4


class SceneStock:
    """Frames of scenes, 16-bit as they were decoded, from which crops are cut."""

    def __init__(self, frames: FrameStore, *, device: torch.device) -> None:
        self.device = device
        self._frames = frames
        self._on_device: dict[str, Tensor] = {}

    def cut_frames(self, scene: Scene, place: Place) -> Tensor:
        """Under, reference, over of one crop, on the device if the scene is: 3×S×S×3 int16.

        These are the bits of the 16-bit frames; `camera_values` reads them as they are meant.
        """
        if scene.id in self._on_device:
            return self._on_device[scene.id][:, *place]
        bracket = self._frames.bracket(scene)
        if self._has_room(bracket.nbytes):
            frames = np.stack(bracket.frames).view(np.int16)
            self._on_device[scene.id] = _sent(frames, self.device)
            return self._on_device[scene.id][:, *place]
        crop = np.stack([frame[place] for frame in bracket.frames])
        return torch.from_numpy(crop.view(np.int16))

    def placed(self, picture: np.ndarray[Any, Any]) -> Picture:
        """The picture on the device where there is room, else as it is."""
        return _sent(picture, self.device) if self._has_room(picture.nbytes) else picture

    def _has_room(self, nbytes: int) -> bool:
        if self.device.type != "cuda":
            return False
        _, total = torch.cuda.mem_get_info(self.device)
        taken = torch.cuda.memory_allocated(self.device)
        return taken + nbytes < _SHARE_OF_DEVICE * total


def camera_values(bits: Tensor) -> Tensor:
    """What `cut_frames` gave, 0 to 65535 as int32.

    Not every device can flip and stack uint16, but all can int16.
    """
    return bits.to(torch.int32) & 0xFFFF


def cut(picture: Picture, place: Place) -> Tensor:
    """One crop of a picture, a copy where the picture is an array."""
    if isinstance(picture, Tensor):
        return picture[place]
    return torch.from_numpy(np.array(picture[place]))


def _sent(picture: np.ndarray[Any, Any], device: torch.device) -> Tensor:
    # A copy, because torch warns of arrays that may only be read.
    return torch.from_numpy(np.array(picture)).to(device)
