"""How well and how fast the corpus stages work, beside public tools: what benchmarks/corpus.py prints."""
