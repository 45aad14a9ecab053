"""How a snapshot is laid out for others: files of bounded size, their card, LongPage's columns."""
