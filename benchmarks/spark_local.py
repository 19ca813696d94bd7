"""The same steps in Apache Spark's local mode: raw, typed and enriched tables and counts, without comparable types.

python -m benchmarks.spark_local CSV_FOLDER OUTPUT_FOLDER
"""

import os
import shutil
import sys
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812

from chicago_crime import reference
from chicago_crime.tables.columns import SOURCE_COLUMNS

TYPES = {"INT64": "bigint", "FLOAT64": "double", "BOOL": "boolean"}
FILTERABLE = ("offense_class", "primary_type", "community_area", "district", "arrest", "domestic")
DATES = "MM/dd/yyyy hh:mm:ss a"


def main(csv_folder: str, output: str) -> None:
    """Load every year."""
    os.environ["PYSPARK_SUBMIT_ARGS"] = (
        "--master local[2] --driver-memory 2g --conf spark.ui.enabled=false pyspark-shell"
    )
    spark = SparkSession.builder.config("spark.sql.shuffle.partitions", 4).getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    objects = shutil.copytree(csv_folder, Path(output) / "objects")
    schema = ", ".join(f"{column.name} STRING" for column in SOURCE_COLUMNS)

    raw = spark.read.csv(str(objects), header=True, schema=schema)
    raw.write.option("compression", "zstd").partitionBy("year").parquet(f"{output}/raw_crimes")

    raw = spark.read.schema(schema).parquet(f"{output}/raw_crimes")
    typed = raw.select(
        *(
            F.to_timestamp(c.name, DATES).alias(c.name)
            if c.type == "DATETIME"
            else F.col(c.name).cast(TYPES.get(c.type, "string"))
            for c in SOURCE_COLUMNS
            if c.name != "location"
        ),
        F.trunc(F.to_timestamp("date", DATES), "month").alias("month"),
    )
    typed = typed.repartition("year").sortWithinPartitions("year", "month", "primary_type", "date", "id")
    typed.write.option("compression", "zstd").partitionBy("year").parquet(f"{output}/crimes")

    crimes = spark.read.parquet(f"{output}/crimes")
    codes = spark.read.csv(str(reference.file("fbi_codes")), header=True).withColumnRenamed("name", "fbi_name")
    areas = spark.read.csv(str(reference.file("community_areas")), header=True, inferSchema=True)
    enriched = (
        crimes.join(F.broadcast(codes), "fbi_code", "left")
        .join(F.broadcast(areas.select("community_area", "name", "side")), "community_area", "left")
        .withColumn("hour", F.hour("date"))
        .withColumn("day_of_week", F.dayofweek("date"))
        .withColumn("is_time_placeholder", F.date_format("date", "HH:mm:ss").isin("00:00:00", "00:01:00"))
        .withColumn("offense_class", F.coalesce("ucr_part1_class", F.lit("non_index")))
        .withColumn("cell_x", F.floor(F.col("x_coordinate") / 660))
        .withColumn("cell_y", F.floor(F.col("y_coordinate") / 660))
    )
    enriched.write.option("compression", "zstd").partitionBy("year").parquet(f"{output}/enriched_crimes")

    enriched = spark.read.parquet(f"{output}/enriched_crimes")
    for table, keys in {
        "crime_type_count": ["year", "primary_type"],
        "crimes_daily": ["year", F.to_date("date").alias("day")],
        "crimes_monthly": ["year", "month", *FILTERABLE],
        "crimes_hourly": ["year", *FILTERABLE, "day_of_week", "hour"],
        "crimes_by_cell": ["year", *FILTERABLE, "cell_x", "cell_y"],
        "area_counts": ["year", "community_area", "offense_class"],
        "cell_counts": ["year", "offense_class", "cell_x", "cell_y"],
    }.items():
        counts = enriched.groupBy(*keys).agg(
            F.count("*").alias("crimes"),
            F.sum(F.col("arrest").cast("int")).alias("arrests"),
            F.sum(F.col("domestic").cast("int")).alias("domestic_crimes"),
        )
        counts.write.parquet(f"{output}/{table}")
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:3])
