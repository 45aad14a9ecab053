"""A real vLLM server on the CPU, and its own load generator."""
