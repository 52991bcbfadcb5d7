"""Performance against peers: one script a question, peers in the same run."""
