"""Spark job that enriches typed crimes and computes marts, from Parquet to Parquet, on Spark 3.5 or newer.

Pure functions of DataFrames define each derived column and mart. The job does not depend on the warehouse or
Dagster: it writes into an empty folder, from which its caller loads the tables.

    spark-submit enrich_crimes.py --crimes IN --community-areas CSV --fbi-codes CSV --comparable-types CSV --output OUT

IN contains Parquet files of any number of years with the columns of `crimes`. The job writes one Parquet file per table
and year below OUT/<table>/<year>/.
"""

import argparse
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 - the usual name in Spark code

CELL_FT = 660
"""Side of a grid cell in feet: the length of a standard Chicago block."""

PROVISIONAL_DAYS = 28
"""Period in which a significant number of late reports still arrive."""

MIN_LATE_UPDATES = 2
"""Minimum number of crimes updated after that period in data that includes late reports."""

MIN_KNOWN_FLAGS = 0.99
"""Minimum share of known flags for a rate, because unknown flags may be mostly true."""

CLASSES = ("violent", "property", "non_index")
COUNTED = ("all", *CLASSES)

COMMUNITY_AREAS_SCHEMA = "community_area BIGINT, name STRING, side STRING"
COMPARABLE_TYPES_SCHEMA = "primary_type STRING, iucr STRING, primary_type_comparable STRING"
FBI_CODES_SCHEMA = "fbi_code STRING, name STRING, index STRING, ucr_part1_class STRING, nibrs_against STRING"


def enriched_crimes(
    crimes: DataFrame,
    community_areas: DataFrame,
    fbi_codes: DataFrame,
    comparable_types: Mapping[tuple[str, str], str],
) -> DataFrame:
    """Add derived columns to all crimes.

    Args:
        crimes, community_areas, fbi_codes: tables of these names.
        comparable_types: comparable label by the source's label and an IUCR code, or `any` for all codes.
    """
    areas = community_areas.select("community_area", F.col("name").alias("community_area_name"), "side")
    codes = fbi_codes.select("fbi_code", F.col("name").alias("fbi_name"), "ucr_part1_class")
    by_key = {"fbi_code": codes, "community_area": areas, "year": _provisional_from(crimes)}
    return _look_up(crimes, by_key).select(
        *crimes.columns,
        F.hour("date").cast("bigint").alias("hour"),
        # Spark's week starts on Sunday, ISO's on Monday.
        (F.pmod(F.dayofweek("date") + F.lit(5), F.lit(7)) + F.lit(1)).cast("bigint").alias("day_of_week"),
        _is_time_placeholder(F.col("date")).alias("is_time_placeholder"),
        F.coalesce(F.to_date("date") >= F.col("provisional_from"), F.lit(False)).alias("is_provisional"),
        F.coalesce(F.col("ucr_part1_class"), F.lit("non_index")).alias("offense_class"),
        _comparable(F.col("primary_type"), F.col("iucr"), comparable_types).alias("primary_type_comparable"),
        "fbi_name",
        "community_area_name",
        "side",
        _cell(F.col("x_coordinate")).alias("cell_x"),
        _cell(F.col("y_coordinate")).alias("cell_y"),
    )


def crime_type_count(enriched: DataFrame) -> DataFrame:
    """Count crimes by year and crime type, as labeled by the source."""
    counts = enriched.groupBy("year", "primary_type").agg(*_tallies(), F.count("arrest").alias("known"))
    is_known = F.col("known") >= F.col("crimes") * F.lit(MIN_KNOWN_FLAGS)
    rate = F.when(is_known, F.col("arrests") / F.col("known")).alias("arrest_rate")
    return counts.select("year", "primary_type", "crimes", "arrests", rate, "domestic_crimes")


def crimes_daily(enriched: DataFrame) -> DataFrame:
    """Count crimes by day. Either all crimes of a day are provisional or none."""
    by_class = [_count_if(F.col("offense_class") == F.lit(name)).alias(f"{name}_crimes") for name in CLASSES]
    counts = enriched.groupBy("year", F.to_date("date").alias("day")).agg(
        *_tallies(), *by_class, F.max("is_provisional").alias("is_provisional")
    )
    classes = (f"{name}_crimes" for name in CLASSES)
    return counts.select("year", "day", "crimes", *classes, "arrests", "domestic_crimes", "is_provisional")


def hot_spots(enriched: DataFrame) -> DataFrame:
    """Compute counts and Getis-Ord Gi* by year, offense class and grid cell.

    A year's study area consists of the cells with any crime in that year. Including empty cells, such as those in Lake
    Michigan, would make the entire city hot. Weights are 1 for the cell itself and its neighbors in the study area.
    Source: Ord and Getis, Local Spatial Autocorrelation Statistics, Geographical Analysis 27 (1995).
    """
    counts = _counts_by_cell(enriched.where(F.col("cell_x").isNotNull() & F.col("cell_y").isNotNull()))
    cell = ["year", "cell_x", "cell_y"]
    offset = F.array(*(F.lit(step) for step in (-1, 0, 1)))
    moved = [(F.col(f"cell_{axis}") + F.col(f"step_{axis}")).alias(f"cell_{axis}") for axis in "xy"]
    sent_to_neighbors = (
        counts.withColumn("step_x", F.explode(offset))
        .withColumn("step_y", F.explode(offset))
        .select("year", *moved, *COUNTED)
    )
    neighborhoods = sent_to_neighbors.groupBy(*cell).agg(
        *(F.sum(name).alias(f"near_{name}") for name in COUNTED), F.count(F.lit(1)).alias("cells_near")
    )
    by_class = _by_class(counts.join(neighborhoods, on=cell, how="inner"))
    grain = ("year", "offense_class", "cell_x", "cell_y")
    values = ("crimes", "neighborhood_crimes", _gi_star().alias("gi_star"), "latitude", "longitude")
    return by_class.select(*grain, *values)


def _look_up(rows: DataFrame, small_by_key: Mapping[str, DataFrame]) -> DataFrame:
    """Add the columns of small tables to `rows`, with NULLs where a table lacks the key.

    The small tables are first joined to all combinations of keys in `rows`, including NULL, so that one inner join
    loses no rows and keeps their order; an outer join would move rows without a match to the end. The combinations are
    on the left because Sail hashes the left side and streams the right.
    """
    keys = rows.select(*small_by_key).distinct()
    for key, small in small_by_key.items():
        keys = keys.join(small, on=key, how="left").withColumnRenamed(key, f"looked_up_{key}")
    is_same = [F.col(f"looked_up_{key}").eqNullSafe(rows[key]) for key in small_by_key]
    return F.broadcast(keys).join(rows, on=is_same, how="inner")


def _provisional_from(crimes: DataFrame) -> DataFrame:
    """Return the first provisional day of each year; NULL if late reports had arrived when its data was taken.

    The newest `updated_on` approximates when the data was taken, unless it is a typing error: a single one decides
    nothing. Data taken four weeks or more after its newest crime includes the late reports, even if it ends early in
    the year.
    """
    newest = crimes.groupBy("year").agg(F.max(F.to_date("date")).alias("newest"))
    is_late = F.datediff("updated_on", "newest") >= F.lit(PROVISIONAL_DAYS)
    updates = crimes.select("year", "updated_on").join(F.broadcast(newest), on="year", how="inner")
    counted = updates.groupBy("year", "newest").agg(_count_if(is_late).alias("late"))
    taken_early = F.col("late") < F.lit(MIN_LATE_UPDATES)
    return counted.select(
        "year", F.when(taken_early, F.date_sub("newest", PROVISIONAL_DAYS - 1)).alias("provisional_from")
    )


def _is_time_placeholder(date: Column) -> Column:
    return (F.hour(date) == F.lit(0)) & (F.minute(date) <= F.lit(1)) & (F.second(date) == F.lit(0))


def _comparable(primary_type: Column, iucr: Column, labels: Mapping[tuple[str, str], str]) -> Column:
    comparable = primary_type
    for (old, code), new in labels.items():
        is_meant = primary_type == F.lit(old)
        if code != "any":
            is_meant &= iucr == F.lit(code)
        comparable = F.when(is_meant, F.lit(new)).otherwise(comparable)
    return comparable


def _cell(coordinate: Column) -> Column:
    is_possible = F.abs(coordinate) < F.lit(1e9)  # a corrupt number may not fit into an integer
    return F.when(is_possible, F.floor(coordinate / F.lit(CELL_FT)).cast("bigint"))


def _count_if(condition: Column) -> Column:
    return F.sum(F.when(condition, F.lit(1)).otherwise(F.lit(0))).cast("bigint")


def _tallies() -> tuple[Column, ...]:
    """Return the counts in all summaries."""
    return (
        F.count(F.lit(1)).alias("crimes"),
        _count_if(F.col("arrest")).alias("arrests"),
        _count_if(F.col("domestic")).alias("domestic_crimes"),
    )


def _counts_by_cell(located: DataFrame) -> DataFrame:
    """Count crimes by year and cell, in total and by class, and compute the midpoint of each cell's crimes."""
    by_class = [_count_if(F.col("offense_class") == F.lit(name)).alias(name) for name in CLASSES]
    # The midpoint instead of the mean, because sums of floats differ between engines.
    middle = [((F.min(name) + F.max(name)) / F.lit(2)).alias(name) for name in ("latitude", "longitude")]
    return located.groupBy("year", "cell_x", "cell_y").agg(F.count(F.lit(1)).alias("all"), *by_class, *middle)


def _by_class(cells: DataFrame) -> DataFrame:
    """Return a row for each cell and class (and all), also if it has no crimes of the class."""
    counted = [
        F.struct(
            F.lit(name).alias("offense_class"),
            F.col(name).alias("crimes"),
            F.col(f"near_{name}").alias("neighborhood_crimes"),
        )
        for name in COUNTED
    ]
    cell = ("year", "cell_x", "cell_y", "latitude", "longitude", "cells_near")
    return cells.select(*cell, F.explode(F.array(*counted)).alias("of_class")).select(*cell, "of_class.*")


def _gi_star() -> Column:
    """Return the z-score from the sums over the city and the neighborhood; NULL if counts do not vary."""
    city = Window.partitionBy("year", "offense_class")
    cells, near = F.count(F.lit(1)).over(city).cast("double"), F.col("cells_near").cast("double")
    mean = F.sum("crimes").over(city) / cells
    deviation = F.sqrt(F.sum(F.col("crimes") * F.col("crimes")).over(city) / cells - mean * mean)
    scale = deviation * F.sqrt((cells * near - near * near) / _unless_zero(cells - F.lit(1.0)))
    return (F.col("neighborhood_crimes") - mean * near) / _unless_zero(scale)


def _unless_zero(divisor: Column) -> Column:
    return F.when(divisor > F.lit(0.0), divisor)


SUMMARIES = {"crime_type_count": crime_type_count, "crimes_daily": crimes_daily, "hot_spots": hot_spots}

YEARS_AT_ONCE = 2  # one is planned or written while the other is computed


def main(arguments: Sequence[str] | None, spark: SparkSession) -> None:
    """Run the job.

    Args:
        arguments: command-line arguments; None for `sys.argv`.
        spark: Spark session.
    """
    parser = argparse.ArgumentParser(description="Enrich typed crimes and compute marts.")
    parser.add_argument("--crimes", required=True, help="folder of Parquet files with the columns of crimes")
    for name in ("--community-areas", "--fbi-codes", "--comparable-types"):
        parser.add_argument(name, required=True, help="CSV with a header")
    parser.add_argument("--output", required=True, help="output folder, without these tables")
    chosen = parser.parse_args(arguments)

    areas = spark.read.csv(chosen.community_areas, header=True, schema=COMMUNITY_AREAS_SCHEMA)
    codes = spark.read.csv(chosen.fbi_codes, header=True, schema=FBI_CODES_SCHEMA)
    labels = spark.read.csv(chosen.comparable_types, header=True, schema=COMPARABLE_TYPES_SCHEMA).collect()
    types = {(row.primary_type, row.iucr): row.primary_type_comparable for row in labels}
    crimes = spark.read.parquet(chosen.crimes)

    def make_year(year: int) -> None:
        folder = f"{chosen.output}/enriched_crimes/{year}"
        _write(enriched_crimes(crimes.where(F.col("year") == F.lit(year)), areas, codes, types), folder)
        enriched = spark.read.parquet(folder)  # avoids computing it again for the summaries
        for table, summary in SUMMARIES.items():
            _write(summary(enriched), f"{chosen.output}/{table}/{year}")

    # By year, so that memory use depends on the largest year and not on the number of years.
    years = [row.year for row in crimes.select("year").distinct().collect()]
    with ThreadPoolExecutor(YEARS_AT_ONCE) as pool:
        list(pool.map(make_year, sorted(years)))


def _write(rows: DataFrame, folder: str) -> None:
    """Write one year to a new folder as a single file in row order, on any engine.

    Sail writes four files, except for partitioned output, which has one file per value. The partition column is a copy,
    because partition columns are not in the file.
    """
    copied = rows.coalesce(1).withColumn("partition_year", F.col("year"))
    copied.write.partitionBy("partition_year").mode("error").parquet(folder)


if __name__ == "__main__":
    session = SparkSession.builder.appName("enrich_crimes").getOrCreate()
    try:
        main(None, session)
    finally:
        session.stop()
