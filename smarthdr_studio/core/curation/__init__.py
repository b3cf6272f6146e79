"""Which scenes to promote or label next: facts, queries, queues and proposals."""
