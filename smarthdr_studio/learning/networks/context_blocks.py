"""Context-aware transformer blocks: window attention beside a local context branch (CA-ViT)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from smarthdr_studio.learning.networks.attention import WINDOW, WindowAttention


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
        """Features last, in and out."""
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


def recompute(network: nn.Module) -> None:
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
