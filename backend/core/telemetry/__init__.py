"""What a running process tells of itself beside its metrics: a log line for each fact, and spans."""
