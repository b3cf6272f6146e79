"""The sample dataset: brackets of computed scenes with exact ground truth.

Settings come in through `sample.settings`, the work through `sample.writing`: the window knows the
settings when it starts and loads the generator when somebody asks for a sample.
"""
