"""The release file: from text to values."""
