"""What the measurements share: the load, the peers, and the product between both worlds."""
