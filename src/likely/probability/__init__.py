"""Sample spaces, events, distributions, and what they say in nats."""
