"""How the pages of a report are made: their names, their frame, what stands on them."""
