"""What helps a person to choose scenes: facts, queues with reasons, proposals, and the past."""
