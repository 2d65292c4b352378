"""The Checkout Sessions of a permanent link: create, fetch, replace and expire them."""
