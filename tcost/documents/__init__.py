"""Documents for machines, one file for each command: classes that describe them, and what writes them of results."""
