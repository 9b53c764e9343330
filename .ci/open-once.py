"""Opens the inspector in a pseudo-terminal and quits it: shows that an installation has all it needs.

Usage: open-once.py PROGRAM BUNDLE
"""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

WAIT_SECONDS = 30


def main(program: str, bundle: str) -> str | None:
    """Open `bundle`, wait until it is drawn, press Q; says what went wrong."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execv(program, [program, bundle])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    seen = b""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 0.5)[0]:
            # Nothing more comes: everything is drawn.
            if b"Overview" in seen:
                os.write(terminal, b"Q")
            continue
        try:
            seen += os.read(terminal, 65536)
        except OSError:
            break
    else:
        sys.stdout.buffer.write(seen)
        return "the inspector did not open and quit in time"
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if b"Overview" not in seen or status != 0:
        sys.stdout.buffer.write(seen)
        return f"the inspector did not open, or ended with status {status}"
    sys.stdout.write("the inspector opened and quit\n")
    return None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
