"""The words that every plugin shares, one file a subject."""
