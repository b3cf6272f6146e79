"""GFHDR, the HDR-Transformer with context-aware blocks: the backbone of the method."""

from typing import Final

import torch
from torch import Tensor, nn

from smarthdr_studio.learning.networks.fusion_network import FusedFeatures
from smarthdr_studio.learning.networks.transformer import (
    WINDOW,
    ContextAwareGroup,
    SpatialAttention,
    initialise_linear_layers,
)

FEATURES: Final = 60
HEADS: Final = 6
GROUPS: Final = 3
BLOCKS: Final = 6
DROP_AT_THE_END: Final = 0.1


class Gfhdr(nn.Module):
    """HDR-Transformer (ECCV 2022), 1,222,113 parameters; modules bear their published names.

    Inside the groups pictures are B×H×W×C, as linear layers want them; the 3×3 convolutions before,
    between and after them read B×C×H×W, the faster format for their gradients.
    """

    multiple: int = WINDOW
    feature_count: int = FEATURES
    whole: bool = False

    def __init__(self) -> None:
        super().__init__()
        self.conv_f1 = nn.Conv2d(6, FEATURES, 3, padding=1)
        self.conv_f2 = nn.Conv2d(6, FEATURES, 3, padding=1)
        self.conv_f3 = nn.Conv2d(6, FEATURES, 3, padding=1)
        self.att_module_h = SpatialAttention(FEATURES)
        self.att_module_l = SpatialAttention(FEATURES)
        self.conv_first = nn.Conv2d(3 * FEATURES, FEATURES, 3, padding=1)
        self.patch_embed = nn.ModuleDict({"norm": nn.LayerNorm(FEATURES)})
        drops = torch.linspace(0, DROP_AT_THE_END, GROUPS * BLOCKS).view(GROUPS, BLOCKS).tolist()
        self.layers = nn.Sequential(
            *(ContextAwareGroup(FEATURES, heads=HEADS, drops=group) for group in drops)
        )
        self.norm = nn.LayerNorm(FEATURES)
        self.conv_after_body = nn.Conv2d(FEATURES, FEATURES, 3, padding=1)
        self.conv_last = nn.Conv2d(FEATURES, 3, 3, padding=1)
        initialise_linear_layers(self)

    def forward(self, under: Tensor, reference: Tensor, over: Tensor) -> FusedFeatures:
        """Fuse three B×6×H×W frames; the features are F_att, B×60×H×W."""
        first, middle, third = self.conv_f1(under), self.conv_f2(reference), self.conv_f3(over)
        attended = [self.att_module_h(first, middle), middle, self.att_module_l(third, middle)]
        merged = self.conv_first(torch.cat(attended, dim=1))
        picture = self.patch_embed["norm"](merged.permute(0, 2, 3, 1))
        body = self.norm(self.layers(picture)).permute(0, 3, 1, 2)
        detail = self.conv_after_body(merged + body)
        hdr = torch.sigmoid(self.conv_last(middle + detail).float())
        return FusedFeatures(hdr=hdr, features=merged)
