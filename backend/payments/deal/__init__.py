"""The views of a deal for a rep: summary, explanation, related deals, and the outstanding amount."""
