"""How the loss of the training rows is lowered: read `minimize.py` first."""
