"""How long it takes to publish 22 full years on a laptop, and how much disk that takes.

    python -m benchmarks.publishing REAL_YEARS NEW_FOLDER

Loads the real year 2014 without publishing it, copies what was made to the years 2001 to 2022, and publishes all.
"""

import argparse
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from chicago_crime.cli.run import load
from chicago_crime.installation import Installation
from chicago_crime.published.catalog import PUBLISHED
from chicago_crime.published.publisher import Candidate
from chicago_crime.settings import load_settings
from chicago_crime.storage.object_store import lake_record

YEARS = range(2001, 2023)
LOADED = 2014

out = Console(highlight=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Publish 22 years and print seconds and bytes; returns 1 if a year was refused."""
    parser = argparse.ArgumentParser(description="Measure a publication of 22 full years.")
    parser.add_argument("real", type=Path, help="folder with Chicago_Crimes_2014.csv.gz")
    parser.add_argument("data", type=Path, help="a folder that does not exist yet")
    chosen = parser.parse_args(arguments)
    installation = Installation(load_settings(source="folder", folder=chosen.real.resolve(), data_dir=chosen.data))
    if not load(installation, [LOADED], "key:crime_csv+ and not key:published"):
        return 1
    for file in (*chosen.data.glob(f"warehouse/*/{LOADED}.parquet"), *chosen.data.glob(f"objects/crimes/{LOADED}.*")):
        for year in {*YEARS} - {LOADED}:
            shutil.copyfile(file, file.with_name(f"{year}{file.suffix}"))
    manifest = installation.source_files.manifest(LOADED)
    assert manifest
    record = lake_record(installation.object_store, LOADED)
    candidates = {year: Candidate(source=asdict(manifest) | {"year": year}, lake=record) for year in YEARS}
    publisher = installation.publisher(installation.warehouse)
    start = time.perf_counter()
    publication = publisher.publish(candidates, "a measurement")
    seconds = time.perf_counter() - start
    made = [file.stat() for table in PUBLISHED for file in chosen.data.glob(f"warehouse/{table.name}/*")]
    files = [file.stat() for file in chosen.data.glob("objects/published/**/*") if file.is_file()]
    taken = sum(one.st_size for one in files if one.st_ino not in {other.st_ino for other in made})
    out.print(
        f"{len(publication.changed)} years, {len(made)} files of {sum(one.st_size for one in made) / 1e9:.2f} GB: "
        f"{seconds:.2f} s, {taken / 1e6:.1f} MB of disk for the catalogs"
    )
    start = time.perf_counter()
    publisher.publish(candidates, "a measurement")
    out.print(f"again, when nothing changed: {time.perf_counter() - start:.2f} s")
    return min(len(publication.refused), 1)


if __name__ == "__main__":
    sys.exit(main())
