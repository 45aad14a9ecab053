"""Shards -> problems, a few rows at a time: files, works, what a bucket and a manifest say."""
