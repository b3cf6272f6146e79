"""Why a pixel is trusted or not: thresholds, shares, evidence, regions, and past rounds."""
