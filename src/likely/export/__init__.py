"""Models as files for other runtimes, with everything that a predictor answers."""
