"""Photographs and radiance: files, exposures, brackets, alignment and metrics."""
