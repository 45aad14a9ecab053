"""CleanBook -> SegmentedBook, in parts: what may be a heading, which of them count, the tree they make."""
