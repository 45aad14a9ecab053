"""RawBook -> CleanBook, in parts: which codec, which lines are not the author's, how lines become paragraphs."""
