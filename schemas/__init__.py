"""Nouns: what a book is at each step of the line of values."""
