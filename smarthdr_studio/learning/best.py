"""The best a run has been on held-out labels, and for how long it has not been better."""

from dataclasses import dataclass, replace

from smarthdr_studio.core.runs import is_better


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """`psnr_mu` in dB, None before the first check; `behind` counts the checks since.

    `checked` is the step of the latest check: a resumed run may make it again.
    """

    psnr_mu: float | None = None
    step: int = 0
    epoch: int = 0
    behind: int = 0
    checked: int | None = None

    def after(self, psnr_mu: float, *, step: int, epoch: int, counts: bool) -> "Best":
        """What is best after one more check; one that does not count leaves `behind` as it is."""
        if step == self.checked:
            return self
        if is_better(psnr_mu, than=self.psnr_mu):
            return Best(psnr_mu=psnr_mu, step=step, epoch=epoch, checked=step)
        return replace(self, behind=self.behind + counts, checked=step)

    def is_stalled(self, patience: int | None) -> bool:
        """Whether so many checks in a row were no better; None has endless patience."""
        return patience is not None and self.behind >= patience
