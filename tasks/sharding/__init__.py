"""Rows -> Parquet as a stream: what an old shard holds and a run has made, merged in order."""
