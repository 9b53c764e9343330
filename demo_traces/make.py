"""Writes the demo traces: `python demo_traces/make.py [DIR]`, by default next to this script.

The result is the same whenever and wherever it is run, so that a change to the recorder shows.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from demo_traces import hostile, story_capped, story_quickstart, story_stale_docs, story_team  # noqa: E402


def main(directory: Path) -> None:
    """Write all demo traces into a directory, in place of what was there of them."""
    stories: dict[str, Callable[[Path], None]] = {
        "quickstart": story_quickstart.tell,
        "team": story_team.tell,
        "capped": story_capped.tell,
        "schema-2": partial(story_stale_docs.tell, schema=2),
        "schema-1": partial(story_stale_docs.tell, schema=1),
        "hostile": hostile.tell,
        "hostile-2": hostile.tell_of_files,
    }
    for name, tell in stories.items():
        bundle = directory / name
        shutil.rmtree(bundle, ignore_errors=True)
        tell(bundle)
        print(bundle)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
