"""How a model comes about: read `fit.py` first."""
