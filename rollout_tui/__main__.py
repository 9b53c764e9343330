"""`python -m rollout_tui`: the program as a process of its own."""

import gc
import os
import signal
import sys


def run() -> int:
    """Run the program; its exit status.

    What starting and reducing make lives as long as the process, and nothing of it is garbage. So it is not
    searched for any, neither meanwhile nor before the process ends. Commands that last turn the search on.
    """
    gc.disable()
    if "_ROLLOUT_TUI_COMPLETE" in os.environ:
        from rollout_tui.completion import complete

        return complete()
    from rollout_tui.cli import main

    status = main()
    # All is said and done: a ctrl+c that comes now is one too many, and not what ended the program.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    return status


if __name__ == "__main__":
    sys.exit(run())
