"""The parts around the pictures: scenes, reliability, training, start page."""
