"""How a plan looks on the command line. No decisions, no data: those are in `plan.py` and `plan_gcp.py`."""

from rich import box
from rich.table import Table

from chicago_crime.cli.screen import out, size, year_tables
from chicago_crime.graph.plan_types import CloudPlan, Plan, YearPlan
from chicago_crime.tables import TABLES


def print_plan(plan: Plan) -> None:
    """Show what a run would do."""
    out.print("This is a dry run: nothing is begun, and nothing is written.\n")
    ranges = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in plan.runs)
    out.print(f"runs: {len(plan.runs)} ({ranges})", markup=False)
    out.print(f"assets: {', '.join(plan.assets)}\n", markup=False)
    out.print(_sources(plan))
    tables = [name for name in TABLES if name in plan.assets]
    out.print("rows that are loaded now and would be replaced (- where there are none)")
    cells = {name: {y.year: f"{y.loaded[name]:,}" if name in y.loaded else "-" for y in plan.years} for name in tables}
    for table in year_tables(cells):
        out.print(table)
    if plan.disk_needed:
        out.print(f"disk on this machine: about {size(plan.disk_needed)} taken, {size(plan.disk_free)} free")
    if plan.cloud:
        _print_cloud(plan.cloud)
    for warning in plan.warnings:
        out.print(f"WARNING: {warning}", style="yellow", markup=False)


def _sources(plan: Plan) -> Table:
    table = Table("year", "rows", "CSV", f"from the source {plan.source}", box=box.SIMPLE_HEAD, pad_edge=False)
    for year in plan.years:
        table.add_row(str(year.year), *_known(year), year.source or "not to be had")
    for column in table.columns[1:3]:
        column.justify = "right"
    return table


def _known(year: YearPlan) -> tuple[str, str]:
    """Rows and size; with a ~ what is only estimated from the other."""
    if not year.likely_rows and not year.likely_bytes:
        return "-", "-"
    rows = f"{'' if year.rows is not None else '~'}{year.likely_rows:,}"
    return rows, f"{'' if year.bytes is not None else '~'}{size(year.likely_bytes)}"


def _print_cloud(plan: CloudPlan) -> None:
    out.print("\nBigQuery reads (dry run: as the tables are now; estimate: of rows that are yet to come)")
    table = Table("table", "what", "statements", "dry run", "estimate", "billed", box=box.SIMPLE_HEAD, pad_edge=False)
    kinds = list(dict.fromkeys((reading.table, reading.what) for reading in plan.readings))
    for kind in kinds:
        of_kind = [reading for reading in plan.readings if (reading.table, reading.what) == kind]
        if not any(reading.billed for reading in of_kind):
            continue
        known, guessed = (sum(r.read for r in of_kind if r.is_estimate is is_guess) for is_guess in (False, True))
        billed = sum(reading.billed for reading in of_kind)
        table.add_row(*kind, str(len(of_kind)), size(known), f"~{size(guessed)}" if guessed else "-", size(billed))
    for column in table.columns[2:]:
        column.justify = "right"
    out.print(table)
    out.print(f"(to find out what is loaded has itself taken {plan.lookups} queries of partitions, 10 MB each)")
    out.print(f"no statement may read more than {size(plan.cap)} (CHICAGO_CRIME_BIGQUERY_MAX_GB_BILLED)")
    writes = ", ".join(f"{count:,} {what}" for what, count in plan.writes.items() if count)
    out.print(f"API calls that write: at most {writes or 'none'}; {size(plan.uploaded)} go into the bucket")
    if plan.machines:
        out.print(
            f"Spark: {plan.clusters} x {plan.machines}; about {plan.minutes:.0f} minutes in all (a guess), "
            f"{plan.most_minutes:,} at most (CHICAGO_CRIME_DATAPROC_MAX_MINUTES)"
        )
    parts = ", ".join(f"{what} {usd:.4f}" for what, usd in plan.usd.items())
    out.print(f"estimated cost: {sum(plan.usd.values()):.2f} USD ({parts}), at list prices of us-central1 of 2025")
    if plan.machines and plan.usd_at_most is None:
        out.print("the price of these machines is not known here, and left out")
    elif plan.machines:
        out.print(
            f"the machines cost {plan.usd_at_most:.2f} USD at most, should nothing but Google's own limit end them"
        )
