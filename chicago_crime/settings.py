"""Settings: the only place that reads the environment.

Every setting is here with its meaning, its default and its choices; nothing else in the package asks the environment
or decides where it runs. Turning settings into resources belongs in `resources/`.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from chicago_crime.errors import UsageError

PREFIX = "CHICAGO_CRIME_"
PROJECT_FOLDER = Path(__file__).parent.parent


class SettingsError(UsageError):
    """A setting is wrong; the message names it, what it holds and what it may hold."""


class Settings(BaseSettings):
    """How this installation runs. Each field is the environment variable `CHICAGO_CRIME_<FIELD>` in upper case."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    deployment: Literal["local"] = Field("local", description="where the platform runs")
    source: Literal["sample", "folder"] = Field("sample", description="who hands over the yearly CSVs")
    folder: Path | None = Field(
        None, description="folder with downloaded CSVs (.csv, .csv.gz, .zip), for source=folder"
    )
    data_dir: Path = Field(PROJECT_FOLDER / "data", description="folder for everything the platform writes")
    dagster_home: Path | None = Field(None, description="Dagster's own folder; by default `dagster` in data_dir")
    sample_rows: int = Field(
        20_000, ge=0, le=2_000_000, description="rows a sample year; 0 for as many as the year really had"
    )
    sample_seed: int = Field(1, ge=0, description="seed of the sample: the same seed, the same rows")
    sample_dirt: bool = Field(False, description="whether the sample includes every known kind of dirt")
    spark_engine: Literal["embedded", "jvm"] = Field("embedded", description="what runs the Spark job")
    java_home: Path | None = Field(None, description="Java 17 or 21 for spark_engine=jvm; by default the JAVA_HOME set")
    allow_shrink: bool = Field(False, description="whether a year may be replaced by one with far fewer rows")
    threads: int = Field(2, ge=1, le=256, description="processor cores that DuckDB and Spark may use")
    duckdb_memory: str = Field(
        "800MB",
        pattern=r"^\d+(\.\d+)?[KMGT]i?B$",
        description="memory DuckDB may use before it spills to disk",
    )

    @field_validator("folder", "data_dir", "dagster_home", "java_home")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return path.expanduser().absolute() if path else None

    @model_validator(mode="after")
    def _folder_is_named(self) -> "Settings":
        if self.source == "folder" and self.folder is None:
            raise ValueError(f"{PREFIX}SOURCE=folder needs {PREFIX}FOLDER: the folder that holds the yearly CSVs")
        return self

    @property
    def home(self) -> Path:
        """The folder where Dagster keeps runs, events and schedules."""
        return self.dagster_home or self.data_dir / "dagster"


def load_settings(**overrides: object) -> Settings:
    """Read the settings from the environment; `overrides` win over it.

    Raises:
        SettingsError: a setting is wrong, or a variable starts with `CHICAGO_CRIME_` but is no setting.
    """
    import os

    unknown = sorted(
        name
        for name in os.environ
        if name.startswith(PREFIX) and name.removeprefix(PREFIX).lower() not in Settings.model_fields
    )
    if unknown:
        names = ", ".join(PREFIX + name.upper() for name in Settings.model_fields)
        raise SettingsError(f"{', '.join(unknown)} is no setting of this platform; the settings are {names}")
    if "dagster_home" not in overrides and "DAGSTER_HOME" in os.environ and PREFIX + "DAGSTER_HOME" not in os.environ:
        overrides["dagster_home"] = os.environ["DAGSTER_HOME"]
    if "java_home" not in overrides and "JAVA_HOME" in os.environ and PREFIX + "JAVA_HOME" not in os.environ:
        overrides["java_home"] = os.environ["JAVA_HOME"]
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        problems = [
            f"{PREFIX}{str(problem['loc'][0]).upper()}={problem['input']!s}: {problem['msg']}"
            if problem["loc"]
            else problem["msg"].removeprefix("Value error, ")
            for problem in error.errors()
        ]
        raise SettingsError("; ".join(problems)) from None
