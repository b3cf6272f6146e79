"""The linked views that show pictures and masks, and the controls of how they are shown."""
