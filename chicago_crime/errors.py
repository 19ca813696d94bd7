"""The roots of the platform's errors: all that a user can mend. Anything else is a bug, and shows its traceback."""


class PlatformError(Exception):
    """Something that the user can mend; the message says what is wrong, where, and what to do."""


class UsageError(PlatformError):
    """The command or a setting is wrong; nothing was done."""
