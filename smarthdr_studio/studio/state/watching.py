"""What is watched of a run beside its curves: one scene in every round."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmFrame:
    """One round of a scene: its retained share in [0, 1] and mean σ, None where not known."""

    round: int
    retained: float | None = None
    sigma: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmState:
    """A scene in every round of the newest run, oldest first.

    `pinned` is the scene that stays whichever is looked at; "" follows the one on the screen.
    """

    run: str = ""
    scene: str = ""
    pinned: str = ""
    frames: tuple[FilmFrame, ...] = ()
