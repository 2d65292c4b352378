"""The HTTP layer: routes read a request, call the rooms below and render the answer. They decide nothing."""
