"""What each function may be given, and what legacy can take back: the document that a release plan reads."""
