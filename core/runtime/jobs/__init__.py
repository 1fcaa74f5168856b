"""Background work: the queue that wakes workers, and what they run."""
