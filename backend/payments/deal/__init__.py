"""What a rep sees of a deal: summary, explanation, related deals, what is still open."""
