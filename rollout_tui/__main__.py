"""`python -m rollout_tui`."""

import sys

from rollout_tui.cli import main

if __name__ == "__main__":
    sys.exit(main())
