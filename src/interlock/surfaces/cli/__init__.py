"""The verbs on the command line: data on stdout, everything else on stderr."""
