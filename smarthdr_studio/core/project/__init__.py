"""A project: its database, journal, decisions and labels, and how it is kept whole."""
