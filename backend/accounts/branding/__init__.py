"""A business's logo on the client's pages: checked by content, rebuilt from its drawing parts, stored."""
