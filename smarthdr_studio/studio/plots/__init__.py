"""Charts: curves, histograms, maps and strips."""
