"""Order: which steps, for which books."""
