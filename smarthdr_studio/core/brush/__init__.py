"""A person's brush: strokes, the mask they make, and what it changes in the figures."""
