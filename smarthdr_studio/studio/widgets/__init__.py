"""Widgets that several parts of the studio share."""
