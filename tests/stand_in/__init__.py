"""A scripted OpenAI-compatible server, a process of its own: answers made by rule or from reference scaffolds, faults."""
