"""Scaffold + text -> rows, in parts: what fits, what is divided, what a window is told."""
