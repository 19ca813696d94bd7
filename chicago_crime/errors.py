"""The base classes of errors that a user can fix. Any other exception is a bug, and shows its traceback."""


class PlatformError(Exception):
    """Something that a user can fix; the message says what happened, where, and what to do."""

    exit_code = 1


class UsageError(PlatformError):
    """The command or a setting is wrong; nothing was done."""

    exit_code = 2
