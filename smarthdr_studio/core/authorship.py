"""Who is deciding, and when."""

import getpass
import socket
from datetime import UTC, datetime


def now() -> str:
    """The time in UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def person() -> str:
    """user@host; a user without a name on this machine is "unknown"."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # no login name and no password database
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def today() -> str:
    """The day in UTC, as YYYYMMDD, for the names of files."""
    return now()[:10].replace("-", "")
