"""What a plan of a run is: the facts that `plan.py` and `plan_gcp.py` find out, and `screen_plan.py` shows."""

from dataclasses import dataclass, field

BYTES_A_ROW = 237
"""Of a CSV in the City's layout, on average: measured on the real year 2014, which has 275,200 rows."""


@dataclass(frozen=True)
class YearPlan:
    """What would become of one year.

    Attributes:
        year: which.
        source: its file, in words; "" if it is not to be had.
        rows: that the file has; None if that is not known beforehand.
        bytes: of the file as CSV; None if that is not known beforehand.
        loaded: rows that the chosen tables hold now and that would be replaced, by table.
    """

    year: int
    source: str
    rows: int | None
    bytes: int | None
    loaded: dict[str, int]

    @property
    def likely_rows(self) -> int:
        """Rows of the file, counted or estimated from its size."""
        return self.rows if self.rows is not None else (self.bytes or 0) // BYTES_A_ROW

    @property
    def likely_bytes(self) -> int:
        """Size of the file, listed or estimated from its rows."""
        return self.bytes if self.bytes is not None else (self.rows or 0) * BYTES_A_ROW


@dataclass(frozen=True)
class Reading:
    """One statement.

    Attributes:
        table: that it makes or checks.
        what: what it does.
        read: bytes that it reads.
        billed: bytes to pay for.
        is_estimate: whether they are estimated; else a dry run told them.
    """

    table: str
    what: str
    read: int
    billed: int
    is_estimate: bool


@dataclass(frozen=True)
class CloudPlan:
    """What a run would do on Google Cloud.

    Attributes:
        readings: every statement that reads rows.
        lookups: queries that it took to find out what is loaded.
        cap: bytes that one statement may read at most.
        writes: API calls that write, by what they are.
        uploaded: bytes that go into the bucket.
        machines: what the Spark job of one run gets, in words; "" for nothing.
        clusters: how many times: once a run.
        minutes: that they are guessed to live, for all runs together.
        most_minutes: after which Google ends them, for all runs together.
        usd: estimated cost by what it is for; what is not known is left out.
        usd_at_most: of the machines, should they live as long as they may; None if their price is not known.
    """

    readings: list[Reading]
    lookups: int
    cap: int
    writes: dict[str, int]
    uploaded: int
    machines: str
    clusters: int
    minutes: float
    most_minutes: int
    usd: dict[str, float] = field(default_factory=dict)
    usd_at_most: float | None = None

    @property
    def above_cap(self) -> list[Reading]:
        """Statements that would be refused."""
        return [reading for reading in self.readings if reading.read > self.cap]


@dataclass(frozen=True)
class Plan:
    """What a run would do.

    Attributes:
        source: name of the source.
        runs: Dagster runs, each from a first year to a last.
        assets: chosen ones, each after those that it is made of.
        years: what would become of each year.
        disk_needed: bytes that the run would take on this machine, about.
        disk_free: bytes that are free there.
        warnings: what a person should think about first.
        cloud: what Google Cloud would do; None on a laptop.
    """

    source: str
    runs: list[tuple[int, int]]
    assets: list[str]
    years: list[YearPlan]
    disk_needed: int
    disk_free: int
    warnings: list[str] = field(default_factory=list)
    cloud: CloudPlan | None = None
