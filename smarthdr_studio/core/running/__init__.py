"""Training runs as their files tell of them: lists, curves, diaries, comparisons, and the bin."""
