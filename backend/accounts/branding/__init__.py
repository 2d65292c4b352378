"""A business's picture on the client's pages: checked by its content, rebuilt from the parts that draw it, stored."""
