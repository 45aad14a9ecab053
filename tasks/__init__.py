"""Verbs: one plain function per step of the line of values."""
