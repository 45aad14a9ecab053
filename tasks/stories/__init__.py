"""How stories are read, compared, tagged and put into prompts."""
