"""Reports of a running process besides its metrics: a log line for each business fact, and traces."""
