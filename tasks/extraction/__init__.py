"""Text -> answers without a model: sentences, names, measures; what the `builtin` LLM is made of."""
