"""The embedded corpus: three short novels in Gutenberg's plain-text form, and the vocabulary trained on them."""
