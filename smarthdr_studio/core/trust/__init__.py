"""Which pixels of a pseudo-label are trusted: masks, brushes, reliability and explanations."""
