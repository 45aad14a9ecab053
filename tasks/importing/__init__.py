"""How a table in LongPage's columns becomes books with scaffolds."""
