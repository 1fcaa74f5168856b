"""What an installation can set, and where it is read from: see `schema`."""
