"""Runs at work: the plan, the thread, steering, and what is watched of them."""
