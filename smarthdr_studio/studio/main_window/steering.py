"""What the actions about the run at work do, and what its panel asks for."""

from collections.abc import Callable, Mapping

from smarthdr_studio.studio.main_window.studio_page import StudioPage
from smarthdr_studio.studio.session import Session


class Steering:
    """Brings the training panel to the front where it has to ask first."""

    def __init__(self, session: Session, page: StudioPage) -> None:
        self._session, self._page = session, page
        helm, panel = session.running.helm, page.training
        panel.pause_asked.connect(helm.pause_or_go_on)
        panel.stop_asked.connect(helm.stop)
        panel.snapshot_asked.connect(helm.snapshot)
        panel.round_asked.connect(helm.skip_to_round)
        panel.rate_picked.connect(helm.set_learning_rate)
        panel.refresh_picked.connect(helm.set_refresh)
        panel.discard_confirmed.connect(session.running.discard)
        panel.devices_wanted.connect(session.training.want_devices)

    def table(self) -> Mapping[str, Callable[[], object]]:
        """Every command by the name the table of actions calls it."""
        helm = self._session.running.helm
        return {
            "pause": helm.pause_or_go_on,
            "stop": helm.stop,
            "discard": self.discard,
            "save_snapshot": helm.snapshot,
            "skip_to_round": helm.skip_to_round,
            "change_rate": self.change_rate,
            "change_refresh": self.change_refresh,
        }

    def discard(self) -> None:
        """Ask whether the run on the screen is to go."""
        self._page.go_to_tab("training")
        self._page.training.ask_discard()

    def change_rate(self) -> None:
        """Ask for another learning rate."""
        self._page.go_to_tab("training")
        self._page.training.ask_rate()

    def change_refresh(self) -> None:
        """Ask how many epochs are to lie between two rounds."""
        self._page.go_to_tab("training")
        self._page.training.ask_refresh()
