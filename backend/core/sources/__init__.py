"""Sources of settings besides the environment and ``.env``."""
