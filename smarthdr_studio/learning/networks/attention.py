"""Where to look: attention between frames, and inside windows of one picture."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WINDOW = 8
# The published networks subtract 100 where a shifted window joins regions that are no neighbours.
FOREIGN = -100.0


class SpatialAttention(nn.Module):
    """Weighs the features of one frame by how they fit the reference (AHDRNet, CVPR 2019)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.att1 = nn.Conv2d(2 * features, 2 * features, 3, padding=1)
        self.att2 = nn.Conv2d(2 * features, features, 3, padding=1)

    def forward(self, features: Tensor, reference: Tensor) -> Tensor:
        """The B×C×H×W features, each value times its weight in [0, 1]."""
        both = torch.cat([features, reference], dim=1)
        weights = torch.sigmoid(self.att2(F.leaky_relu(self.att1(both), 0.01)))
        return features * weights


class WindowAttention(nn.Module):
    """Self-attention inside 8×8 windows with a relative position bias (Swin, ICCV 2021).

    With `shift` 4 the windows straddle those of the block before. The picture is rolled, so the
    last row and column of windows join strips from opposite borders, which must not see each
    other. Only those windows need a mask: the rest share one bias for all.
    """

    def __init__(self, features: int, *, heads: int, shift: int) -> None:
        super().__init__()
        self.heads, self.shift = heads, shift
        self.relative_position_bias_table = nn.Parameter(torch.empty((2 * WINDOW - 1) ** 2, heads))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        self.qkv = nn.Linear(features, 3 * features)
        self.proj = nn.Linear(features, features)
        self._remembered: tuple[object, Tensor] | None = None

    def forward(self, picture: Tensor) -> Tensor:
        """Attend within B×H×W×C; H and W are multiples of 8."""
        batch, height, width, channels = picture.shape
        if self.shift:
            picture = picture.roll((-self.shift, -self.shift), dims=(1, 2))
        rows, columns = height // WINDOW, width // WINDOW
        windows = self.qkv(picture).view(
            batch, rows, WINDOW, columns, WINDOW, 3, self.heads, channels // self.heads
        )
        query, key, value = windows.permute(5, 0, 1, 3, 6, 2, 4, 7).reshape(
            3, batch, rows * columns, self.heads, WINDOW**2, channels // self.heads
        )
        bias = self._bias(rows, columns)
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        seen = seen.view(batch, rows, columns, self.heads, WINDOW, WINDOW, -1)
        seen = seen.permute(0, 1, 4, 2, 5, 3, 6).reshape(batch, height, width, channels)
        seen = self.proj(seen)
        return seen.roll((self.shift, self.shift), dims=(1, 2)) if self.shift else seen
