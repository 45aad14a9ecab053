"""Parts of the catalogue stage: the table, its authors, records in RDF, the selection."""
