"""What the seams are made of: sources, stores, tokenizers, models, trainers; the environment is read here only."""
