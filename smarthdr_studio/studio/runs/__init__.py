"""Runs on disk: the list, their comparison, evaluation, export of models, and the trash."""
