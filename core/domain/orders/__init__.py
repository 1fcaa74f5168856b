"""Orders: from a normalised channel order to rows, states, holds and totals."""
