"""What a person or a cluster runs: the command line, the Python functions, Ray. The only place that knows Ray."""
