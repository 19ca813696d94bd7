"""What a cluster with a job and a batch have in common: what is to run, and how far it is.

Here belongs the interface; each way to run has its own module.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid5

_NAMESPACE = UUID("5b6d9e0c-6f0d-4c38-9d0c-2a4b8d8f6f1e")  # ours: any, but always the same

Log = Callable[[str], None]


@dataclass(frozen=True)
class Launch:
    """A PySpark program to run.

    Attributes:
        main: URI of its main file.
        modules: URIs of Python files that it imports.
        arguments: of its command line.
        labels: how Google's lists and bills shall know it.
        salt: tells the requests of this start from those of an earlier one that failed.
    """

    main: str
    modules: Sequence[str]
    arguments: Sequence[str]
    labels: Mapping[str, str] = field(default_factory=dict)
    salt: str = ""

    def request_id(self, what: str) -> str:
        """The id of the request that starts `what`: the same for the same start, so that asking twice starts one."""
        return str(uuid5(_NAMESPACE, f"{what} {self.salt}"))


@dataclass(frozen=True)
class WorkState:
    """How far a program is.

    Attributes:
        state: Google's word for it.
        is_over: whether it will change no more.
        is_good: whether it is over and did what it should.
        message: what Google says besides.
        output: URI that the names of the files with the driver's output begin with; "" if there are none.
    """

    state: str
    is_over: bool
    is_good: bool
    message: str = ""
    output: str = ""

    @property
    def is_failed(self) -> bool:
        """Whether it is over and did not do what it should."""
        return self.is_over and not self.is_good


class Work(ABC):
    """One way to run programs on Dataproc. A name stands for one program of one run, a number for one start of it."""

    @abstractmethod
    def find(self, name: str, number: int) -> WorkState | None:
        """How far a start of a program is; None if there was no such start."""

    @abstractmethod
    def start(self, name: str, number: int, launch: Launch, log: Log) -> None:
        """Start a program, or find that it is started already.

        Raises:
            SparkError: Google refuses, or cannot provide what it needs.
        """

    @abstractmethod
    def end(self, name: str, log: Log) -> str:
        """See to it that nothing of the program is left that runs or costs, and wait until it is so.

        Returns:
            Prefix of what Dataproc has left in the bucket; "" for nothing.

        Raises:
            SparkError: it cannot be brought about.
        """

    @abstractmethod
    def page(self, name: str, number: int) -> str:
        """Address of a start's page in Google's console."""


def start_id(name: str, number: int) -> str:
    """What Google knows one start by."""
    return f"{name}-{number}"
