"""In and out: splits, decisions, datasets for other programs, and a report to hand on."""
