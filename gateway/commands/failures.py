"""Failures that people can do something about, told in one line each."""

from __future__ import annotations


class CommandFailed(Exception):
    """A command can not do what it was asked to.

    Attributes:
        exit_code: of the process; 1 unless another is promised.
    """

    def __init__(self, message: str, *, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code
