"""The Spark job: enriches typed crimes and counts them. Parquet to Parquet, on any Spark from 3.5.

Pure functions from DataFrames to a DataFrame define each added column and each summary table. The job knows neither the
warehouse nor Dagster, and writes only into a fresh folder, from which its caller loads the tables.

    spark-submit enrich_crimes.py --crimes IN --community-areas CSV --fbi-codes CSV --comparable-types CSV --output OUT
        [--tables a,b]

IN holds Parquet files with the columns of `crimes`, of any number of years. OUT gets one Parquet file per table and
year, somewhere below OUT/<table>/<year>/.
"""

import argparse
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

CELL_FT = 660
"""Side of a grid cell in feet: the length of a standard Chicago block."""

PROVISIONAL_DAYS = 28
"""How long late reports still arrive in numbers that matter."""

KNOWN_FLAGS = 0.99
"""The share of flags that must be known for a rate; what is unknown may be those that are set."""

CLASSES = ("violent", "property", "non_index")

COMMUNITY_AREAS_SCHEMA = "community_area BIGINT, name STRING, side STRING"
COMPARABLE_TYPES_SCHEMA = "primary_type STRING, iucr STRING, primary_type_comparable STRING"
FBI_CODES_SCHEMA = "fbi_code STRING, name STRING, index STRING, ucr_part1_class STRING, nibrs_against STRING"


def enriched_crimes(
    crimes: DataFrame,
    community_areas: DataFrame,
    fbi_codes: DataFrame,
    comparable_types: Mapping[tuple[str, str], str],
) -> DataFrame:
    """Every crime with its columns and the derived ones: one row per row of `crimes`.

    Args:
        crimes, community_areas, fbi_codes: the tables of these names.
        comparable_types: the label for all years, by the source's label and the IUCR code or `any`.
    """
    areas = community_areas.select("community_area", F.col("name").alias("community_area_name"), "side")
    codes = fbi_codes.select("fbi_code", F.col("name").alias("fbi_name"), "ucr_part1_class")
    joined = crimes
    for small, key in ((codes, "fbi_code"), (areas, "community_area"), (_provisional_from(crimes), "year")):
        joined = _look_up(joined, crimes, small, key)
    return joined.select(
        *crimes.columns,
        F.hour("date").cast("bigint").alias("hour"),
        # Spark counts from Sunday, ISO from Monday.
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
    """Counts by year and crime type, under the source's label."""
    counts = enriched.groupBy("year", "primary_type").agg(*_tallies(), F.count("arrest").alias("known"))
    is_known = F.col("known") >= F.col("crimes") * F.lit(KNOWN_FLAGS)
    rate = F.when(is_known, F.col("arrests") / F.col("known")).alias("arrest_rate")
    return counts.select("year", "primary_type", "crimes", "arrests", rate, "domestic_crimes")


def crimes_daily(enriched: DataFrame) -> DataFrame:
    """Counts by day; all crimes of a day are provisional, or none is."""
    by_class = [_count_if(F.col("offense_class") == F.lit(name)).alias(f"{name}_crimes") for name in CLASSES]
    counts = enriched.groupBy("year", F.to_date("date").alias("day")).agg(
        *_tallies(), *by_class, F.max("is_provisional").alias("is_provisional")
    )
    classes = (f"{name}_crimes" for name in CLASSES)
    return counts.select("year", "day", "crimes", *classes, "arrests", "domestic_crimes", "is_provisional")


def hot_spots(enriched: DataFrame) -> DataFrame:
    """Counts and Getis-Ord Gi* by year, offense class and grid cell.

    The study area of a year is every cell that had any crime in it: where nothing is ever reported, nobody lives, and
    the lake would make the whole city hot. Weights are 1 for the cell itself and each of its up to eight neighbors in
    the study area. Source: Ord and Getis, Local Spatial Autocorrelation Statistics, Geographical Analysis 27 (1995).
    """
    counts = _counts_with_zeros(enriched.where(F.col("cell_x").isNotNull() & F.col("cell_y").isNotNull()))
    grain = ["year", "offense_class", "cell_x", "cell_y"]
    offset = F.array(*(F.lit(step) for step in (-1, 0, 1)))
    moved = [(F.col(f"cell_{axis}") + F.col(f"step_{axis}")).alias(f"cell_{axis}") for axis in "xy"]
    sent_to_neighbors = (
        counts.withColumn("step_x", F.explode(offset))
        .withColumn("step_y", F.explode(offset))
        .select("year", "offense_class", *moved, "crimes")
    )
    neighborhoods = sent_to_neighbors.groupBy(*grain).agg(
        F.sum("crimes").alias("neighborhood_crimes"), F.count(F.lit(1)).alias("cells_near")
    )
    city = counts.groupBy("year", "offense_class").agg(
        F.count(F.lit(1)).alias("cells"),
        F.sum("crimes").alias("total"),
        F.sum(F.col("crimes") * F.col("crimes")).alias("total_squares"),
    )
    joined = counts.join(neighborhoods, on=grain, how="inner").join(
        F.broadcast(city), on=["year", "offense_class"], how="inner"
    )
    return joined.select(*grain, "crimes", "neighborhood_crimes", _gi_star().alias("gi_star"), "latitude", "longitude")


def _look_up(rows: DataFrame, crimes: DataFrame, small: DataFrame, key: str) -> DataFrame:
    """`rows` with the columns of a small table, NULL where it lacks the key.

    The small table is first extended to every key that occurs, including NULL. So an inner join loses nothing and keeps
    the order of the rows; an outer join would move those without a match to the end. The small table is on the left,
    where Sail hashes it and streams the crimes through.
    """
    keys = crimes.select(key).distinct().join(small, on=key, how="left").withColumnRenamed(key, "looked_up")
    return F.broadcast(keys).join(rows, on=F.col("looked_up").eqNullSafe(rows[key]), how="inner").drop("looked_up")


def _provisional_from(crimes: DataFrame) -> DataFrame:
    """By year, the first provisional day; NULL if the late reports had arrived by its snapshot.

    A year's newest `updated_on` shows when its snapshot was taken. One taken four weeks or more after the newest day
    has the late reports, however early in the calendar year the file ends.
    """
    days = [F.max(F.to_date(column)).alias(column) for column in ("date", "updated_on")]
    newest = crimes.groupBy("year").agg(*days)
    taken_early = F.coalesce(F.datediff("updated_on", "date") < F.lit(PROVISIONAL_DAYS), F.lit(True))
    return newest.select(
        "year", F.when(taken_early, F.date_sub("date", PROVISIONAL_DAYS - 1)).alias("provisional_from")
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
    return F.floor(coordinate / F.lit(CELL_FT)).cast("bigint")


def _count_if(condition: Column) -> Column:
    return F.sum(F.when(condition, F.lit(1)).otherwise(F.lit(0))).cast("bigint")


def _tallies() -> tuple[Column, ...]:
    """The counts of every summary."""
    return (
        F.count(F.lit(1)).alias("crimes"),
        _count_if(F.col("arrest")).alias("arrests"),
        _count_if(F.col("domestic")).alias("domestic_crimes"),
    )


def _counts_with_zeros(located: DataFrame) -> DataFrame:
    """Crimes by year, class (and all) and cell, including zeros, with the middle of the cell's crimes."""
    by_class = [_count_if(F.col("offense_class") == F.lit(name)).alias(name) for name in CLASSES]
    # The middle of the range, not the mean: sums of floats would differ between engines.
    middle = [((F.min(name) + F.max(name)) / F.lit(2)).alias(name) for name in ("latitude", "longitude")]
    everything = F.count(F.lit(1)).alias("all")
    counted = located.groupBy("year", "cell_x", "cell_y").agg(everything, *by_class, *middle)
    names = ("all", *CLASSES)
    pairs = F.array(*(F.struct(F.lit(name).alias("offense_class"), F.col(name).alias("crimes")) for name in names))
    cell = ("year", "cell_x", "cell_y", "latitude", "longitude")
    return counted.select(*cell, F.explode(pairs).alias("pair")).select(*cell, "pair.offense_class", "pair.crimes")


def _gi_star() -> Column:
    """The z-score from the city's and the neighborhood's sums; NULL where counts do not vary."""
    cells, near = F.col("cells").cast("double"), F.col("cells_near").cast("double")
    mean = F.col("total") / cells
    deviation = F.sqrt(F.col("total_squares") / cells - mean * mean)
    scale = deviation * F.sqrt((cells * near - near * near) / _unless_zero(cells - F.lit(1.0)))
    return (F.col("neighborhood_crimes") - mean * near) / _unless_zero(scale)


def _unless_zero(divisor: Column) -> Column:
    return F.when(divisor > F.lit(0.0), divisor)


SUMMARIES = {"crime_type_count": crime_type_count, "crimes_daily": crimes_daily, "hot_spots": hot_spots}
TABLES = ("enriched_crimes", *SUMMARIES)

YEARS_AT_ONCE = 2  # one is planned or written while the other is computed


def main(arguments: Sequence[str] | None, spark: SparkSession) -> None:
    """Run the job.

    Args:
        arguments: as on the command line; None for those of the process.
        spark: the session to use.
    """
    parser = argparse.ArgumentParser(description="Enrich typed crimes and count them.")
    parser.add_argument("--crimes", required=True, help="folder of Parquet files with the columns of crimes")
    for name in ("--community-areas", "--fbi-codes", "--comparable-types"):
        parser.add_argument(name, required=True, help="CSV with a header")
    parser.add_argument("--output", required=True, help="folder that does not hold these tables yet")
    parser.add_argument("--tables", default=",".join(TABLES), help=f"which tables, of {','.join(TABLES)}")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.tables.split(",")) - set(TABLES):
        parser.error(f"no such tables: {', '.join(sorted(unknown))}; there are {', '.join(TABLES)}")

    areas = spark.read.csv(chosen.community_areas, header=True, schema=COMMUNITY_AREAS_SCHEMA)
    codes = spark.read.csv(chosen.fbi_codes, header=True, schema=FBI_CODES_SCHEMA)
    labels = spark.read.csv(chosen.comparable_types, header=True, schema=COMPARABLE_TYPES_SCHEMA).collect()
    types = {(row.primary_type, row.iucr): row.primary_type_comparable for row in labels}
    crimes = spark.read.parquet(chosen.crimes)

    def make_year(year: int) -> None:
        enriched = enriched_crimes(crimes.where(F.col("year") == F.lit(year)), areas, codes, types)
        for table in chosen.tables.split(","):
            folder = f"{chosen.output}/{table}/{year}"
            _write(SUMMARIES[table](enriched) if table in SUMMARIES else enriched, folder)
            if table == "enriched_crimes":
                enriched = spark.read.parquet(folder)  # what is written need not be computed twice

    # Year by year, so that memory depends on the largest year and not on how many there are.
    years = [row.year for row in crimes.select("year").distinct().collect()]
    with ThreadPoolExecutor(YEARS_AT_ONCE) as pool:
        list(pool.map(make_year, sorted(years)))


def _write(rows: DataFrame, folder: str) -> None:
    """Write one year into a fresh folder as one file that keeps the order of the rows, on every engine.

    Sail splits its output into four files unless it is partitioned, then it writes one file per value. The partition
    column is a copy, so that the file itself has all the columns of the table.
    """
    copied = rows.coalesce(1).withColumn("partition_year", F.col("year"))
    copied.write.partitionBy("partition_year").mode("error").parquet(folder)


if __name__ == "__main__":
    session = SparkSession.builder.appName("enrich_crimes").getOrCreate()
    try:
        main(None, session)
    finally:
        session.stop()
