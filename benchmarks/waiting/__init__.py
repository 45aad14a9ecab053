"""A crowd of books in one process while their answers are awaited: the books, the server, the samples."""
