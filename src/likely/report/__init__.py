"""HTML pages for people: of a run, of `likely check`, of doubtful labels."""
