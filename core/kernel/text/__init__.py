"""Text: what is refused, how it is normalised, searched, sorted and masked."""
