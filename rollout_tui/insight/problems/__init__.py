"""Problems of a recording: what the reducer could not apply, read again."""
