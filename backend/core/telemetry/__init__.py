"""What a running process reports in addition to its metrics: a log line for each fact, and spans."""
