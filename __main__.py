"""`python -m yoto_video`: the command, where its script is not on the path."""

import sys

from .jobs.cli import main

if __name__ == "__main__":
    sys.exit(main())
