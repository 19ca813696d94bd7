"""Base classes of errors that users can fix. Any other exception is a bug, and shows its traceback."""


class PlatformError(Exception):
    """An error that users can fix. The message says what happened, where, and what to do."""

    exit_code = 1


class UsageError(PlatformError):
    """An invalid command or setting. Nothing was done."""

    exit_code = 2
