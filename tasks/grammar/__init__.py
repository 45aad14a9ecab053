"""Trajectory <-> text: the grammar of stages, written, read back and checked."""
