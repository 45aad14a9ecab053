"""LLM: who answers the requests."""
