"""The image's steps without a container engine: ``python3 run.py image``."""
