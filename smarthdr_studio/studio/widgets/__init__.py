"""What several features share: controls, labels, tables, sliders and icons."""
