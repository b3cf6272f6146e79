"""The only door between the window and the work that takes time."""
