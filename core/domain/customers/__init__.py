"""Who buys: people and companies with their addresses, encrypted at rest and masked on screens."""
