"""From what is stored to what a network sees; described in the model."""
