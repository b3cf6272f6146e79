"""Context-aware transformer blocks: window attention beside a local branch (CA-ViT)."""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

WINDOW: Final = 8
# What the published networks add where a shifted window joins strips that are no neighbours.
FOREIGN: Final = -100.0


class SpatialAttention(nn.Module):
    """Weighs the features of one frame by how they fit the reference (AHDRNet, CVPR 2019)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.att1 = nn.Conv2d(2 * features, 2 * features, 3, padding=1)
        self.att2 = nn.Conv2d(2 * features, features, 3, padding=1)

    def forward(self, features: Tensor, reference: Tensor) -> Tensor:
        """The B×C×H×W features, each value times its weight in [0, 1]."""
        both = torch.cat([features, reference], dim=1)
        weights = torch.sigmoid(self.att2(functional.leaky_relu(self.att1(both), 0.01)))
        return features * weights


class WindowAttention(nn.Module):
    """Self-attention inside 8×8 windows with a relative position bias (Swin, ICCV 2021).

    With `shift` 4 the picture is rolled, so the windows of the last row and the last column join
    strips from opposite borders, which must not see each other. No other window needs a mask: four
    small biases (inside, right, bottom, corner) serve a picture of any size, and nothing of the
    size of the picture is ever built or kept.
    """

    index: Tensor
    masks: Tensor

    def __init__(self, features: int, *, heads: int, shift: int) -> None:
        super().__init__()
        self.heads, self.shift = heads, shift
        self.relative_position_bias_table = nn.Parameter(torch.empty((2 * WINDOW - 1) ** 2, heads))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        self.qkv = nn.Linear(features, 3 * features)
        self.proj = nn.Linear(features, features)
        self.register_buffer("index", _relative_position_index(), persistent=False)
        self.register_buffer("masks", _masks(shift), persistent=False)
        self._kept: tuple[object, Tensor] | None = None

    def forward(self, picture: Tensor) -> Tensor:
        """Attend within B×H×W×C; H and W are multiples of 8."""
        batch, height, width, channels = picture.shape
        if self.shift:
            picture = picture.roll((-self.shift, -self.shift), dims=(1, 2))
        rows, columns = height // WINDOW, width // WINDOW
        windows = self.qkv(picture).reshape(
            batch, rows, WINDOW, columns, WINDOW, 3, self.heads, channels // self.heads
        )
        # → 3 × B × rows × columns × heads × 8 × 8 × channels of one head
        windows = windows.permute(5, 0, 1, 3, 6, 2, 4, 7)
        bias = self._bias()
        seen = self._joined(windows, bias) if self.shift else _attend(windows, bias[0])
        seen = seen.permute(0, 1, 4, 2, 5, 3, 6).reshape(picture.shape)
        answer: Tensor = self.proj(seen)
        return answer.roll((self.shift, self.shift), dims=(1, 2)) if self.shift else answer

    def _joined(self, windows: Tensor, bias: Tensor) -> Tensor:
        """All windows, the last row and the last column under masks of their own."""
        above = [
            _attend(windows[:, :, :-1, :-1], bias[0]),
            _attend(windows[:, :, :-1, -1:], bias[1]),
        ]
        below = [
            _attend(windows[:, :, -1:, :-1], bias[2]),
            _attend(windows[:, :, -1:, -1:], bias[3]),
        ]
        return torch.cat([torch.cat(above, dim=2), torch.cat(below, dim=2)], dim=1)

    def _bias(self) -> Tensor:
        """Position bias plus mask, kinds × heads × 64 × 64; kept until the table changes."""
        table = self.relative_position_bias_table
        if torch.is_grad_enabled() and table.requires_grad:
            return self._gathered_bias()
        # In-place updates (an optimiser, an average of weights) count up the version.
        state = (table.data_ptr(), table._version, table.dtype, torch.is_inference_mode_enabled())
        if self._kept is None or self._kept[0] != state:
            self._kept = (state, self._gathered_bias())
        return self._kept[1]

    def _gathered_bias(self) -> Tensor:
        bias: Tensor = self.relative_position_bias_table[self.index].permute(2, 0, 1)
        return bias + self.masks.to(bias.dtype)


def _attend(windows: Tensor, bias: Tensor) -> Tensor:
    """Attention in every window: from 3×B×r×c×heads×8×8×d to B×r×c×heads×8×8×d."""
    _, batch, rows, columns, heads, _, _, size = windows.shape
    query, key, value = windows.reshape(3, -1, heads, WINDOW**2, size)
    seen: Tensor
    if not query.shape[0]:
        seen = query
    elif bias.requires_grad and bias.device.type == "cpu":
        # The fused kernel of the CPU has no gradient for a bias, and what torch falls back on
        # reads the scores three times more to look for rows that are masked throughout.
        scores = torch.matmul(query * size**-0.5, key.transpose(-2, -1)) + bias
        seen = torch.matmul(scores.softmax(dim=-1), value)
    else:
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias[None])
    return seen.reshape(batch, rows, columns, heads, WINDOW, WINDOW, size)


def _relative_position_index() -> Tensor:
    """Row of the bias table for each pair of the 64 positions: (Δy + 7)·15 + (Δx + 7)."""
    y, x = torch.arange(WINDOW**2) // WINDOW, torch.arange(WINDOW**2) % WINDOW
    dy, dx = y[:, None] - y[None], x[:, None] - x[None]
    return (dy + WINDOW - 1) * (2 * WINDOW - 1) + dx + WINDOW - 1


def _masks(shift: int) -> Tensor:
    """What is added inside, right, bottom, in the corner: 4×1×64×64; unshifted 1×1×64×64."""
    if not shift:
        return torch.zeros(1, 1, WINDOW**2, WINDOW**2)
    beyond = torch.arange(WINDOW) >= WINDOW - shift
    lower, right = beyond.repeat_interleave(WINDOW), beyond.repeat(WINDOW)
    across, along = lower[:, None] != lower[None], right[:, None] != right[None]
    foreign = torch.stack([torch.zeros_like(across), along, across, across | along])
    return foreign[:, None] * FOREIGN


class LocalContext(nn.Module):
    """What the neighbourhood looks like: three convolutions and a gate per channel (ECCV 2022)."""

    def __init__(self, features: int, *, narrow: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(features, narrow, 1),
            nn.Conv2d(narrow, narrow, 3, padding=1),
            nn.Conv2d(narrow, features, 1),
            nn.LeakyReLU(0.2),
        )
        self.fc = nn.Sequential(
            nn.Linear(features, narrow, bias=False),
            nn.ReLU(),
            nn.Linear(narrow, features, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, picture: Tensor) -> Tensor:
        """B×H×W×C in and out; the gate depends on the mean of the whole picture."""
        narrow, near, wide, bend = self.conv
        local: Tensor = near(_pointwise(narrow, picture).permute(0, 3, 1, 2))
        local = bend(_pointwise(wide, local.permute(0, 2, 3, 1)))
        gate: Tensor = self.fc(local.mean(dim=(1, 2)))
        return local * gate[:, None, None]


class Mlp(nn.Module):
    """Two linear layers with a GELU, for every position by itself."""

    def __init__(self, features: int, *, ratio: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(features, ratio * features)
        self.fc2 = nn.Linear(ratio * features, features)

    def forward(self, tokens: Tensor) -> Tensor:
        """B×H×W×C in and out."""
        answer: Tensor = self.fc2(functional.gelu(self.fc1(tokens)))
        return answer


class ContextAwareBlock(nn.Module):
    """x + attention(y), + MLP, + local context of y, where y = norm1(x) (NETWORKS, GFHDR 4)."""

    def __init__(self, features: int, *, heads: int, shift: int, drop: float) -> None:
        super().__init__()
        self.drop = drop
        self.norm1 = nn.LayerNorm(features)
        self.attn = WindowAttention(features, heads=heads, shift=shift)
        self.norm2 = nn.LayerNorm(features)
        self.mlp = Mlp(features, ratio=2)
        self.lce = LocalContext(features, narrow=features // 8)

    def forward(self, picture: Tensor) -> Tensor:
        """B×H×W×C in and out; H and W are multiples of 8."""
        normed = self.norm1(picture)
        picture = picture + self._sometimes(self.attn(normed))
        picture = picture + self._sometimes(self.mlp(self.norm2(picture)))
        local: Tensor = self.lce(normed)
        return picture + local

    def _sometimes(self, branch: Tensor) -> Tensor:
        """Stochastic depth: in training a branch is left out per item, else made up for it."""
        if not self.training or not self.drop:
            return branch
        kept = torch.rand(branch.shape[0], 1, 1, 1, device=branch.device) >= self.drop
        return branch * (kept / (1 - self.drop)).to(branch.dtype)


class ResidualGroup(nn.Module):
    """Blocks in a row, for the published names of their weights.

    With `recomputed` a block keeps only its input and computes again what its gradient needs.
    """

    def __init__(self, features: int, *, heads: int, drops: Sequence[float]) -> None:
        super().__init__()
        self.recomputed = False
        self.blocks = nn.Sequential(
            *(
                ContextAwareBlock(features, heads=heads, shift=j % 2 * (WINDOW // 2), drop=drop)
                for j, drop in enumerate(drops)
            )
        )

    def forward(self, picture: Tensor) -> Tensor:
        """B×H×W×C in and out."""
        if self.recomputed and self.training and torch.is_grad_enabled():
            for block in self.blocks:
                # Chance stands again where it stood: the same branches are left out twice.
                picture = checkpoint(block, picture, use_reentrant=False, preserve_rng_state=True)
            return picture
        answer: Tensor = self.blocks(picture)
        return answer


class ContextAwareGroup(nn.Module):
    """Blocks with shifts 0 and 4 by turns, a dilated 3×3 convolution, and the input added."""

    def __init__(self, features: int, *, heads: int, drops: Sequence[float]) -> None:
        super().__init__()
        self.residual_group = ResidualGroup(features, heads=heads, drops=drops)
        self.dilated_conv = nn.Conv2d(features, features, 3, padding=2, dilation=2)

    def forward(self, picture: Tensor) -> Tensor:
        """B×H×W×C in and out."""
        # Its gradient is twice as fast on planes as on pixels (AVX2), which pays for the copy.
        deep = self.residual_group(picture).permute(0, 3, 1, 2).contiguous()
        closed: Tensor = self.dilated_conv(deep).permute(0, 2, 3, 1)
        return picture + closed


def use_gradient_checkpointing(network: nn.Module) -> None:
    """Lets every group of blocks compute twice instead of keeping what it computed."""
    for module in network.modules():
        if isinstance(module, ResidualGroup):
            module.recomputed = True


def initialise_linear_layers(network: nn.Module) -> None:
    """Linear weights from a truncated normal with σ 0.02, biases zero, as published."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            nn.init.trunc_normal_(layer.weight, std=0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def _pointwise(layer: nn.Module, picture: Tensor) -> Tensor:
    """A 1×1 convolution of B×H×W×C as the linear layer it is; torch is faster at those."""
    assert isinstance(layer, nn.Conv2d)
    return functional.linear(picture, layer.weight.flatten(1), layer.bias)
