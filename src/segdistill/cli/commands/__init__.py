"""One file per command; each holds a function `command`, whose docstring is the help."""
