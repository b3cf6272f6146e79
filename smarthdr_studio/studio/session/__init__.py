"""The one object that remembers, and the controllers that work for it."""

from smarthdr_studio.studio.session.session import Session

__all__ = ["Session"]
