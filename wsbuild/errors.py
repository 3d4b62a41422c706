"""What can go wrong, and the exit code each kind ends with. Nothing is imported here."""

from __future__ import annotations

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_STATE = 3
EXIT_BUG = 70
EXIT_BUSY = 75
EXIT_INTERRUPTED = 130


class WsbuildError(Exception):
    """An error with a message for a person: what happened, and in `hint` what to do next.

    `exit_code` is what the command line ends with.
    """

    exit_code = EXIT_BUG

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  help: {self.hint}" if self.hint else self.message


class UserError(WsbuildError):
    """What the user gave (a bundle, an option, a configuration file) is wrong: exit code 2."""

    exit_code = EXIT_USAGE


class StateError(WsbuildError):
    """State or environment is unusable (database, disk, permissions): exit code 3."""

    exit_code = EXIT_STATE


class BusyError(WsbuildError):
    """Somebody else holds the tree and waiting was not wanted: exit code 75 (EX_TEMPFAIL)."""

    exit_code = EXIT_BUSY
