"""Where the tokens of a run went: exact where the provider told them, estimated below that, and marked so."""
