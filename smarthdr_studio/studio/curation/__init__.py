"""Choosing scenes: lists, queries, queues, the brush, proposals, and the journal."""
