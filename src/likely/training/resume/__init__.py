"""A run that was killed goes on: what is kept of it on disk, and how it is taken up again."""
