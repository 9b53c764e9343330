"""One thing of a bundle as a document, text or JSON: what `rollout-tui show` prints."""
