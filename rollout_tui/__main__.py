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
    status = _status()
    # All is said and done: a ctrl+c that comes now is one too many, and not what ended the program.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    return status


def _status() -> int:
    """Run the command; one that needs nothing of typer does not wait for it."""
    from rollout_tui.language.show_options import read_plainly

    asked = read_plainly(sys.argv[1:])
    if asked is None:
        from rollout_tui.cli import main

        return main()
    from rollout_tui.commands.ended import status_of

    def show() -> int:
        from rollout_tui.commands.show import show_asked

        return show_asked(asked)

    return status_of(show)


if __name__ == "__main__":
    sys.exit(run())
