"""Which bundles a command made: those that were not in the trace root before it."""

from __future__ import annotations

import os
from pathlib import Path

from reducer.storage.bundle import LOG, MANIFEST


class Appearing:
    """Watches a trace root for bundles that are new since it was made.

    Another session that begins to record into the same directory meanwhile counts as well: a bundle does not
    tell which process it belongs to.
    """

    def __init__(self, root: Path) -> None:
        """Note what is there.

        Raises:
            OSError: the directory cannot be listed.
        """
        self._root = root
        self._before = set(os.listdir(root))

    def bundles(self) -> list[Path]:
        """The new bundles, in order of their manifests' times; one without a manifest yet is none yet."""
        try:
            names = set(os.listdir(self._root)) - self._before
        except OSError:
            return []
        found = []
        for name in names:
            manifest = self._root / name / MANIFEST
            try:
                found.append((manifest.stat().st_mtime_ns, self._root / name))
            except OSError:
                continue
        return [path for _time, path in sorted(found)]

    def first_begun(self) -> Path | None:
        """The first new bundle whose log has something in it."""
        for bundle in self.bundles():
            try:
                if (bundle / LOG).stat().st_size:
                    return bundle
            except OSError:
                continue
        return None
