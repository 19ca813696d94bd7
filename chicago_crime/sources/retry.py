"""The retry policy of all network requests."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long a request is retried, to publishers and to Google.

    Attributes:
        attempts: maximum number of attempts.
        first_wait_s: wait before the second attempt, in seconds; it doubles with each attempt.
        max_wait_s: maximum wait between two attempts, in seconds; a longer Retry-After is an error.
        timeout_s: timeout for connecting, and between two blocks of a response, in seconds.
        deadline_s: no attempt starts later than this after the first one, in seconds.
    """

    attempts: int = 6
    first_wait_s: float = 1.0
    max_wait_s: float = 60.0
    timeout_s: float = 60.0
    deadline_s: float = 300.0
