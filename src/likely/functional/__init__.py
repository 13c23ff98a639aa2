"""Pure functions of arrays: heads, losses, the objective, least squares."""
