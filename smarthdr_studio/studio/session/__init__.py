"""The one object that remembers, and the desks that work for it."""

from smarthdr_studio.studio.session.session import Session

__all__ = ["Session"]
