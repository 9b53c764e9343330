"""Reads Codex rollout-trace bundles: from events on disk to a semantic graph. Knows nothing of terminals."""

from reducer.errors import BundleError, Problem, Refused, UnreadablePayload
from reducer.model import RolloutTrace
from reducer.model.objects import ObjectRef
from reducer.provenance import EventRecord, Provenance
from reducer.recording import Recording, Reduction
from reducer.reduce import reduce_bundle
from reducer.replay import Replay
from reducer.state_json import state_json, state_pieces
from reducer.storage.bundle import Bundle, LogLine, open_bundle

__all__ = [
    "Bundle",
    "BundleError",
    "EventRecord",
    "LogLine",
    "ObjectRef",
    "Problem",
    "Provenance",
    "Recording",
    "Reduction",
    "Refused",
    "Replay",
    "RolloutTrace",
    "UnreadablePayload",
    "open_bundle",
    "reduce_bundle",
    "state_json",
    "state_pieces",
]
