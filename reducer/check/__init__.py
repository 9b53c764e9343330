"""Integrity of a bundle and of its graph: `check_bundle` gives a `Report`. Pure, like all of this package.

What is a *problem* (exit status 1 of `rollout-tui check`), and what only a *note*:

* Everything that the replay lists is a problem: the reference refuses the bundle for it, or an event is
  missing from the graph.
* Log: torn and unreadable lines, numbers that are missing, late or repeated, unknown kinds of event and
  unknown names are problems. Unknown fields, blank lines and a clock that goes backwards are notes: the
  format allows them.
* Payloads: files that are missing, outside the bundle, no regular files, not JSON or too large to be
  read, and ids with two files are problems, whether a rule of the reducer needs the payload or not:
  evidence is gone. Files that no event refers to, files with two ids, and large files are notes.
* Shards, where payloads stand in them: shards and records that are missing or cannot be read, footers that
  are missing where they must be, references that contradict each other or the length of what was kept are
  problems: the reference refuses all of them. What no event refers to, and what is sound but not as codex
  writes it, are notes; so is what a limit of the recorder cut or left out, for the log says so.
* Schema that is not known: only the lines of the log are looked at.
* Lifecycles: what goes on without having started is a problem. What never ended is one only if the
  session did end and nothing explains it. Work that runs in a recording that is not completed, that was
  cancelled with its turn, or that went on in the background is a note.
* Graph: all notes, since sound recordings have such things, too. The exception is a code cell that ran
  and whose `exec` call is no item, in a completed recording: a part of the graph is missing.
"""

from reducer.check.report import Finding, Place, Report, Tokens, Totals
from reducer.check.run import check_bundle

__all__ = ["Finding", "Place", "Report", "Tokens", "Totals", "check_bundle"]
