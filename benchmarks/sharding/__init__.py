"""What benchmarks/shards.py measures with: invented tables, and chunks as a content-addressed store cuts them."""
