"""The deal card's answer to a look."""
