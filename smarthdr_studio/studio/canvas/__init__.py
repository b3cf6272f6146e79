"""The linked views that show pictures and masks."""
