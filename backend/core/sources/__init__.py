"""Where settings come from, beside the environment and ``.env``."""
