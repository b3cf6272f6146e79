"""What is handed on: tables, splits, the curated dataset and the review report."""
