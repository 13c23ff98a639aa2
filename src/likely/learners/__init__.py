"""What turns rows into scores, once it has learned: networks by descent, and trees by boosting."""
