"""Scaffold + text -> what the checks of `verify` look at."""
