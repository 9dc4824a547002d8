"""What is wrong with one value of the file, before its place is known.

Parsers of values raise it; the shapes hand it to pydantic, `load` gives it its place in the file.
"""


class Fault(ValueError):  # noqa: N818 - a finding about the user's text, not an accident
    """A value that is not what its place needs: a code for searching, a sentence, and what to write instead."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        self.code = code
        self.message = message
        self.hint = hint
        super().__init__(message)
