"""Helps to choose thresholds: pairs set aside, shares wished for, the least sure places."""

import string
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.choosing import keeping
from smarthdr_studio.core.masking import MaskSettings
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.session.pool_desk import PoolDesk
from smarthdr_studio.studio.session.stage import Stage
from smarthdr_studio.studio.state import Notice, Snapshot

MOST_SNAPSHOTS = 8


class ThresholdDesk(QObject):
    """Never changes thresholds itself: `moved` and `settled` say which ones were found."""

    moved = Signal(object)
    settled = Signal(object)
    place_wanted = Signal(object)  # Place

    def __init__(self, keeper: Keeper, pool: PoolDesk, stage: Stage) -> None:
        super().__init__(keeper)
        self._keeper, self._pool, self._stage = keeper, pool, stage
        self._place = -1

    @Slot()
    def keep_snapshot(self) -> None:
        """Set this pair aside under the next free letter, unless it is there already."""
        state = self._keeper.state
        same = next((kept.name for kept in state.snapshots if kept.masks == state.masks), "")
        if same or len(state.snapshots) >= MOST_SNAPSHOTS:
            full = f"{MOST_SNAPSHOTS} pairs are set aside already; drop one first."
            words = f"{same} is this pair already." if same else full
            self._keeper.notice(Notice(text=words, tone="warn"))
            return
        taken = {kept.name for kept in state.snapshots}
        free = next(letter for letter in string.ascii_uppercase if letter not in taken)
        pool = state.pool.retained if state.pool else None
        kept = Snapshot(name=free, masks=state.masks, pool=pool, scene=state.retained)
        self._keeper.become(snapshots=(*state.snapshots, kept))

    @Slot(str)
    def drop_snapshot(self, name: str) -> None:
        """Forget a pair."""
        left = tuple(kept for kept in self._keeper.state.snapshots if kept.name != name)
        self._keeper.become(snapshots=left)

    def recount(self) -> None:
        """What the pairs set aside keep of the scene and the pool of now."""
        state = self._keeper.state
        if state.snapshots and state.pool is not None:
            self._keeper.become(snapshots=tuple(map(self._counted, state.snapshots)))

    def _counted(self, kept: Snapshot) -> Snapshot:
        pool = self._pool.retention(kept.masks)
        scene = self._stage.share(kept.masks, pool=pool) if self._stage.size else None
        return replace(kept, pool=pool.retained if pool else None, scene=scene)

    @Slot(float)
    def drop_moved(self, dropped: float) -> None:
        """Thresholds that drop this share, while the hand still moves."""
        self.moved.emit(self._dropping(dropped))

    @Slot(float)
    def drop_settled(self, dropped: float) -> None:
        """Thresholds that drop this share, to be kept."""
        self.settled.emit(self._dropping(dropped))

    @Slot()
    def back_to_paper(self) -> None:
        """The paper's thresholds and ranges."""
        self.settled.emit(replace(MaskSettings(), patch_size=self._keeper.state.masks.patch_size))

    def nudge(self, name: str, by: float) -> None:
        """One threshold a little up or down, by name ("tau_patch" or "tau_pixel")."""
        masks = self._keeper.state.masks
        wanted = min(max(round(getattr(masks, name) + by, 3), 0.0), 1.0)
        self.settled.emit(replace(masks, **{name: wanted}))

    @Slot()
    def least_trusted(self) -> None:
        """The least trustworthy region of the pool; asked again, of the next scene."""
        places = self._pool.least_trusted()
        if not places:
            words = "No scene has a pseudo-label yet: train first (Ctrl+T)."
            self._keeper.notice(Notice(text=words, tone="warn"))
            return
        self._place = (self._place + 1) % len(places)
        self.place_wanted.emit(places[self._place])

    def forget(self) -> None:
        """Another pool: the worst place comes first again."""
        self._place = -1

    def _dropping(self, dropped: float) -> MaskSettings:
        state = self._keeper.state
        of_scene = state.evidence.scope == "scene"
        share: Callable[[MaskSettings], float] = self._stage_share if of_scene else self._pool.share
        return keeping(1 - dropped, state.masks, share=share)

    def _stage_share(self, masks: MaskSettings) -> float:
        return self._stage.share(masks, pool=self._pool.retention(masks))
