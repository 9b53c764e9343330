"""Conversation items: their texts, titles, sections and blobs, and prompts that requests name."""
