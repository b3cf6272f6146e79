"""The sample dataset: brackets of computed scenes with exact ground truth."""
