"""What the actions about queues and proposals do, and the sheet that shows a proposal."""

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtWidgets import QWidget

from smarthdr_studio.studio.main_window.studio_page import StudioPage
from smarthdr_studio.studio.panels.proposals import ProposalSheet
from smarthdr_studio.studio.session import Session
from smarthdr_studio.studio.state import QueueKind
from smarthdr_studio.studio.theme import Palette


class Queueing:
    """The work behind the keys that say which scene comes next, and which could be promoted."""

    def __init__(
        self, session: Session, page: StudioPage, palette: Palette, parent: QWidget
    ) -> None:
        self._session, self._palette, self._parent = session, palette, parent
        page.scenes.queue.kind_picked.connect(session.advice.queue.pick)
        page.scenes.footer.anew_asked.connect(session.advice.queue.rank_anew)
        self._sheet: ProposalSheet | None = None

    def table(self) -> Mapping[str, Callable[[], object]]:
        """Every command by the name the table of actions calls it."""
        queue = self._session.advice.queue
        return {
            "next_in_queue": partial(queue.step, 1),
            "previous_in_queue": partial(queue.step, -1),
            "queue_all": partial(queue.pick, QueueKind.ALL),
            "queue_safest": partial(queue.pick, QueueKind.SAFEST),
            "queue_worth": partial(queue.pick, QueueKind.WORTH),
            "rank_anew": queue.rank_anew,
            "propose": self.propose,
        }

    def propose(self) -> None:
        """Show which scenes the rule would promote."""
        if self._sheet is None:
            self._sheet = self._made()
        self._sheet.show_state(self._session.state, self._session.state)
        self._sheet.show()
        self._sheet.activateWindow()

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        self._palette = palette
        if self._sheet is not None:
            self._sheet.dress(palette)

    def _made(self) -> ProposalSheet:
        session, desk = self._session, self._session.advice.proposals
        sheet = ProposalSheet(self._palette, self._parent)
        session.changed.connect(sheet.show_state)
        session.screen.thumbnail_made.connect(sheet.take_thumbnail)
        sheet.thumbnails_wanted.connect(session.screen.want_thumbnails)
        sheet.scene_picked.connect(session.screen.pick)
        sheet.rule_picked.connect(desk.set_rule)
        sheet.telling_picked.connect(desk.set_telling)
        sheet.left_out.connect(desk.leave_out)
        sheet.promote_asked.connect(desk.promote)
        sheet.seen.connect(desk.watch)
        return sheet
