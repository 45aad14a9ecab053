"""CatalogueEntry -> RawBook, in parts: is a file sound, what lies in an archive, what an EPUB says."""
