"""Training runs as values and files: plans, events, logs, rounds and comparisons."""
