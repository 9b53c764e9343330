"""Writes the demo traces: `python demo_traces/make.py [DIR]`, by default next to this script.

The result is the same whenever and wherever it is run, so that a change to the recorder shows.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from demo_traces import hostile, story_quickstart, story_schema_1, story_team  # noqa: E402


def main(directory: Path) -> None:
    """Write all demo traces into a directory, in place of what was there of them."""
    stories = {
        "quickstart": story_quickstart.tell,
        "team": story_team.tell,
        "schema-1": story_schema_1.tell,
        "hostile": hostile.tell,
    }
    for name, tell in stories.items():
        bundle = directory / name
        shutil.rmtree(bundle, ignore_errors=True)
        tell(bundle)
        print(bundle)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
