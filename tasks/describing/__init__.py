"""What a data set says of itself: its card in parts, and what they count."""
