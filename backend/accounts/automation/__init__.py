"""An admin's choices about automation."""
