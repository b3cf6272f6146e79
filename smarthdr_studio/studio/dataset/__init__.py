"""Projects and their data: starting, ground truths, files in and out, and datasets that moved."""
