"""How exactly a GPU computes: rounded products or whole ones, sums in any order or in one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import torch

# Without it cuBLAS may sum in another order each time.
_WORKSPACE: Final = "CUBLAS_WORKSPACE_CONFIG"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """What a plan asks of a GPU; a CPU always computes so."""

    exact: bool = False
    """float32 means float32: no product is rounded to TF32 on its way."""
    deterministic: bool = False
    """The same sums in the same order each time, which is slower."""

    @contextmanager
    def on(self, device: torch.device) -> Iterator[None]:
        """In force while the block lasts; what was in force before is so again afterwards."""
        if device.type != "cuda" or self == _AS_IT_COMES:
            yield
            return
        matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
        before = (matmul.allow_tf32, cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark)
        strict = torch.are_deterministic_algorithms_enabled()
        workspace = os.environ.get(_WORKSPACE)
        try:
            if self.exact:
                matmul.allow_tf32 = cudnn.allow_tf32 = False
            if self.deterministic:
                os.environ.setdefault(_WORKSPACE, ":4096:8")
                cudnn.deterministic, cudnn.benchmark = True, False
                torch.use_deterministic_algorithms(mode=True)
            yield
        finally:
            matmul.allow_tf32, cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark = before
            torch.use_deterministic_algorithms(mode=strict)
            if workspace is None:
                os.environ.pop(_WORKSPACE, None)


_AS_IT_COMES: Final = Arithmetic()
