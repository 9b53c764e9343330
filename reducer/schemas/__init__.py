"""What each trace schema is: its events, and the rules in which it differs from the one before.

Bundles of schema 1 are reduced as codex 0.164.0 does, those of schema 2 as codex 0.169.0 does, those of
schema 3 as codex 0.171.0 does. A new schema is a module with its new and changed events and its rules, and an
entry here.
"""

from reducer.schemas.schema import Schema
from reducer.schemas.v1 import SCHEMA_1
from reducer.schemas.v2 import SCHEMA_2
from reducer.schemas.v3 import SCHEMA_3

__all__ = ["SCHEMAS", "Schema"]

SCHEMAS = {schema.version: schema for schema in (SCHEMA_1, SCHEMA_2, SCHEMA_3)}
