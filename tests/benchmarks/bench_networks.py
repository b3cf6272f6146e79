"""How fast the networks learn and predict; GFHDR beside a plain transcription of its text."""

import time

import numpy as np
import torch
from table import Row, row, show, timed
from torch import Tensor, nn
from torch.nn import functional

from smarthdr_studio.learning.compute import tune_allocator
from smarthdr_studio.learning.inference import predict_tiled
from smarthdr_studio.learning.networks import build_network
from smarthdr_studio.learning.networks.gfhdr import Gfhdr
from smarthdr_studio.learning.radiometry import mu_law


class PlainGfhdr(nn.Module):
    """GFHDR as it is described: masks and biases built per call, attention written out, no formats.

    It takes its weights from ours, so both compute the same thing.
    """

    def __init__(self, ours: Gfhdr) -> None:
        super().__init__()
        self.ours = ours

    def forward(self, under: Tensor, reference: Tensor, over: Tensor) -> Tensor:
        net = self.ours
        first, middle, third = net.conv_f1(under), net.conv_f2(reference), net.conv_f3(over)
        first = first * self._weights(net.att_module_h, first, middle)
        third = third * self._weights(net.att_module_l, third, middle)
        merged = net.conv_first(torch.cat([first, middle, third], dim=1))
        size = merged.shape[-2:]
        tokens = net.patch_embed["norm"](merged.flatten(2).transpose(1, 2))
        for group in net.layers:
            deep = tokens
            for block in group.residual_group.blocks:
                deep = self._block(block, deep, size)
            tokens = tokens + image_to_tokens(group.dilated_conv(tokens_to_image(deep, size)))
        body = tokens_to_image(net.norm(tokens), size)
        return torch.sigmoid(net.conv_last(middle + net.conv_after_body(body + merged)))

    def _weights(self, module: nn.Module, features: Tensor, reference: Tensor) -> Tensor:
        hidden = functional.leaky_relu(module.att1(torch.cat([features, reference], dim=1)), 0.01)
        return torch.sigmoid(module.att2(hidden))

    def _block(self, block: nn.Module, tokens: Tensor, size: torch.Size) -> Tensor:
        normed = block.norm1(tokens)
        tokens = tokens + self._attention(block.attn, normed, size)
        tokens = tokens + block.mlp(block.norm2(tokens))
        local = block.lce.conv(tokens_to_image(normed, size).contiguous())
        gate = block.lce.fc(functional.adaptive_avg_pool2d(local, 1).flatten(1))
        return tokens + image_to_tokens(local * gate[:, :, None, None])

    def _attention(self, layer: nn.Module, tokens: Tensor, size: torch.Size) -> Tensor:
        (height, width), shift, heads = size, layer.shift, layer.heads
        batch, _, channels = tokens.shape
        picture = tokens.view(batch, height, width, channels)
        if shift:
            picture = torch.roll(picture, (-shift, -shift), (1, 2))
        windows = cut(picture)
        qkv = layer.qkv(windows).view(-1, 64, 3, heads, channels // heads).permute(2, 0, 3, 1, 4)
        query, key, value = qkv[0] * (channels // heads) ** -0.5, qkv[1], qkv[2]
        scores = query @ key.transpose(-2, -1) + position_bias(layer)
        if shift:
            mask = shifted_mask(height, width, shift)
            scores = scores.view(batch, -1, heads, 64, 64) + mask[None, :, None]
            scores = scores.view(-1, heads, 64, 64)
        seen = (functional.softmax(scores, dim=-1) @ value).transpose(1, 2)
        picture = joined(layer.proj(seen.reshape(-1, 64, channels)), height, width)
        if shift:
            picture = torch.roll(picture, (shift, shift), (1, 2))
        return picture.view(batch, height * width, channels)


def tokens_to_image(tokens: Tensor, size: torch.Size) -> Tensor:
    return tokens.transpose(1, 2).reshape(tokens.shape[0], tokens.shape[2], *size)


def image_to_tokens(image: Tensor) -> Tensor:
    return image.flatten(2).transpose(1, 2)


def cut(picture: Tensor) -> Tensor:
    batch, height, width, channels = picture.shape
    windows = picture.view(batch, height // 8, 8, width // 8, 8, channels)
    return windows.permute(0, 1, 3, 2, 4, 5).contiguous().view(-1, 64, channels)


def joined(windows: Tensor, height: int, width: int) -> Tensor:
    picture = windows.view(-1, height // 8, width // 8, 8, 8, windows.shape[-1])
    return picture.permute(0, 1, 3, 2, 4, 5).contiguous().view(-1, height, width, windows.shape[-1])


def position_bias(layer: nn.Module) -> Tensor:
    places = torch.stack(torch.meshgrid(torch.arange(8), torch.arange(8), indexing="ij")).flatten(1)
    apart = (places[:, :, None] - places[:, None]).permute(1, 2, 0) + 7
    rows = apart[..., 0] * 15 + apart[..., 1]
    bias = layer.relative_position_bias_table[rows.view(-1)].view(64, 64, -1)
    return bias.permute(2, 0, 1).contiguous()[None]


def shifted_mask(height: int, width: int, shift: int) -> Tensor:
    regions = torch.zeros(1, height, width, 1)
    strips = (slice(0, -8), slice(-8, -shift), slice(-shift, None))
    for number, (rows, columns) in enumerate((r, c) for r in strips for c in strips):
        regions[:, rows, columns] = number
    windows = cut(regions).view(-1, 64)
    return torch.where(windows[:, None] == windows[:, :, None], 0.0, -100.0)


def step_seconds(network: nn.Module, frames: list[Tensor]) -> float:
    """One forward and backward pass of the reconstruction loss."""
    network.zero_grad()
    start = time.perf_counter()
    answer = network(*frames)
    hdr = answer if isinstance(answer, Tensor) else answer[0]
    mu_law(hdr).mean().backward()
    return time.perf_counter() - start


def gfhdr_against_plain(*, times: int, side: int = 128) -> list[float]:
    """Our step ÷ the plain step, measured by turns so that both meet the same weather."""
    ours = Gfhdr().eval()  # without stochastic depth both do the same work
    plain, frames = PlainGfhdr(ours), [torch.rand(1, 6, side, side) for _ in range(3)]
    with torch.no_grad():
        torch.testing.assert_close(ours(*frames).hdr, plain(*frames), atol=1e-5, rtol=1e-4)
    for network in (ours, plain):
        step_seconds(network, frames)
    return [step_seconds(ours, frames) / step_seconds(plain, frames) for _ in range(times)]


def light_step(*, times: int) -> list[float]:
    """Milliseconds of a training step of the light network, eight crops of 128×128."""
    network, frames = build_network("light"), [torch.rand(8, 6, 128, 128) for _ in range(3)]
    return [step_seconds(network, frames) * 1e3 for _ in range(times + 1)][1:]


def whole_scene(name: str, *, size: tuple[int, int], times: int) -> list[float]:
    """Seconds of one pseudo-label, in tiles as the studio predicts it."""
    frames = [np.random.default_rng(i).integers(0, 65536, (*size, 3), np.uint16) for i in range(3)]
    network, device = build_network(name).eval(), torch.device("cpu")

    def predict(_: int) -> None:
        predict_tiled(network, frames, stops=(0.0, 2.0, 4.0), device=device)

    return [ms / 1e3 for ms in timed(predict, times=times, warm_up=0)]


def main() -> list[Row]:
    """The rows of the table that the networks answer for."""
    tune_allocator()
    gfhdr, light = (
        whole_scene("gfhdr", size=(1000, 1500), times=1),
        whole_scene("light", size=(384, 512), times=5),
    )
    return [
        row(
            "GFHDR training step, CPU, ours ÷ plain transcription",
            gfhdr_against_plain(times=5),
            unit="×",
            reach="0.6",
            stretch="0.4",
        ),
        row("pseudo-label 1500×1000, CPU, GFHDR", gfhdr, unit="s", reach="60", stretch="35"),
        row(
            "light training step, 8 crops", light_step(times=10), unit="ms", reach="–", stretch="–"
        ),
        row("pseudo-label 512×384, CPU, light", light, unit="s", reach="–", stretch="–"),
    ]


if __name__ == "__main__":
    show(main())
