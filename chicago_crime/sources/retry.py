"""How often and how long everything that talks over a network retries a request."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RetryPolicy:
    """When a request is retried, and when it fails for good. One policy serves publishers and Google alike.

    Attributes:
        attempts: attempts at one request before it fails.
        first_wait_s: wait before the second attempt, in seconds; it doubles with each attempt.
        max_wait_s: longest wait between two attempts, in seconds; a server that asks for more gets an error instead.
        timeout_s: timeout of a connection, and between two blocks of a response, in seconds.
        deadline_s: a request fails after this many seconds of attempts.
    """

    attempts: int = 6
    first_wait_s: float = 1.0
    max_wait_s: float = 60.0
    timeout_s: float = 60.0
    deadline_s: float = 300.0
