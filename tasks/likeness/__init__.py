"""Parts of the stages that find duplicates: shingles of a text, what a title says, pairs of like books."""
