"""The payload files of a bundle against the references to them."""

from __future__ import annotations

from collections import defaultdict
from pathlib import PurePosixPath

from reducer.check.references import FileReference
from reducer.check.report import Finding, Place
from reducer.errors import UnreadablePayload
from reducer.storage.bundle import Bundle
from reducer.storage.payload_files import ForeignPayload, MissingPayload
from reducer.wire.json_text import is_valid

PAYLOADS = "payloads"

LARGE_BYTES = 32 * 2**20
"""A payload beyond this is worth a note: real ones hold at most a few megabytes."""


class PayloadFiles:
    """Looks at every file that a reference names, and at every file that none does."""

    def __init__(self, bundle: Bundle, references: dict[FileReference, int]) -> None:
        """Prepare the look.

        Args:
            bundle: the bundle.
            references: every reference, with the line that first has it.
        """
        self._bundle = bundle
        self._files = bundle.payloads.files
        self._references = references
        self._sizes: dict[str, int] = {}

    @property
    def size(self) -> int:
        """Bytes of all sound files."""
        return sum(self._sizes.values())

    def findings(self) -> list[Finding]:
        """Missing, unreadable, foreign, doubled, unreferenced and large files."""
        faulty: dict[str, list[Place]] = {"outside": [], "missing": [], "unusable": []}
        checked: dict[str, tuple[str, str] | None] = {}
        for reference, line in self._references.items():
            if reference.path not in checked:
                checked[reference.path] = self._fault(reference.path)
            fault = checked[reference.path]
            if fault is None:
                continue
            kind, words = fault
            place = Place(text=words, line=line, type="Payload", id=reference.id, path=reference.path)
            faulty[kind].append(place)
        large = [
            Place(text=f"{size:,} bytes", path=path)
            for path, size in self._sizes.items()
            if size > LARGE_BYTES
        ]
        found = [
            Finding(
                "payloads",
                "outside",
                "problem",
                "paths that lead out of the bundle; never opened",
                faulty["outside"],
            ),
            Finding("payloads", "missing", "problem", "files that are missing", faulty["missing"]),
            Finding("payloads", "unusable", "problem", "files that cannot be used", faulty["unusable"]),
            *self._doubles(),
            *self._unreferenced(),
            Finding("payloads", "large", "note", f"files of more than {LARGE_BYTES // 2**20} MiB", large),
        ]
        return [one for one in found if one.places]

    def _fault(self, path: str) -> tuple[str, str] | None:
        """What kind of fault a file has, and that in words; None for a sound one, whose size is noted."""
        try:
            data = b"".join(map(bytes, self._files.pieces_at(path)))
        except ForeignPayload as error:
            return "outside", str(error)
        except MissingPayload as error:
            return "missing", str(error) + self._other_case(path)
        except UnreadablePayload as error:
            return "unusable", str(error)
        if not is_valid(data):
            return "unusable", "not valid JSON"
        self._sizes[path] = len(data)
        return None

    def _other_case(self, missing: str) -> str:
        """Says that a missing file is there under a name of other case, if it is."""
        found = PurePosixPath()
        for part in PurePosixPath(missing).parts:
            names = self._names_in(found.as_posix())
            same = [name for name in names if name.casefold() == part.casefold()]
            if not same:
                return ""
            found /= part if part in same else min(same)
        return f"; {found} is there, in other case"

    def _names_in(self, directory: str) -> list[str]:
        """The names in a directory of the bundle; none for one that is outside."""
        try:
            return self._bundle.folder.names(directory, follow=True)
        except OSError:
            return []

    def _doubles(self) -> list[Finding]:
        """Ids with several paths, of which the graph keeps the last, and files with several ids."""
        paths: dict[str, list[FileReference]] = defaultdict(list)
        ids: dict[str, list[FileReference]] = defaultdict(list)
        for reference in self._references:
            paths[reference.id].append(reference)
            ids[reference.path].append(reference)
        several_paths = [
            Place(
                text=f"first {found[0].path}, then {', '.join(one.path for one in found[1:4])}",
                line=self._references[found[1]],
                type="Payload",
                id=payload_id,
            )
            for payload_id, found in paths.items()
            if len(found) > 1
        ]
        several_ids = [
            Place(
                text=f"{found[0].id} and {', '.join(one.id for one in found[1:4])}",
                line=self._references[found[1]],
                path=path,
            )
            for path, found in ids.items()
            if len(found) > 1
        ]
        return [
            Finding(
                "payloads",
                "duplicate_id",
                "problem",
                "ids with several files; the last counts",
                several_paths,
            ),
            Finding("payloads", "shared_file", "note", "files with several ids", several_ids),
        ]

    def _unreferenced(self) -> list[Finding]:
        known = {PurePosixPath(reference.path).as_posix() for reference in self._references}
        names = sorted(self._names_in(PAYLOADS), key=_by_number)
        paths = [f"{PAYLOADS}/{name}" for name in names]
        unknown = [Place(text="no event refers to it", path=path) for path in paths if path not in known]
        words = "files that no event refers to: the recording stopped, or their event was lost"
        return [Finding("payloads", "unreferenced", "note", words, unknown)]


def _by_number(name: str) -> tuple[int, str]:
    stem = name.partition(".")[0]
    return (int(stem) if stem.isascii() and stem.isdigit() and len(stem) < 20 else -1, name)
