"""What a text is like: the measures that the screening rules judge."""
