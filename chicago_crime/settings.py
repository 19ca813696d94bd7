"""Settings: the only place that reads the environment.

Every setting is here with its meaning, its default and its choices; nothing else in the package asks the environment
or decides where it runs. Turning settings into resources belongs in `resources/`.
"""

from pathlib import Path
from typing import Literal, get_args

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from chicago_crime.errors import UsageError

PREFIX = "CHICAGO_CRIME_"
PROJECT_FOLDER = Path(__file__).parent.parent
ADDRESS = r"^(https?://)?[^/@?#\s]+/?$"
"""Of a server: without a path, and without a user's name and password."""

OTHERS_NAMES = {
    "dagster_home": "DAGSTER_HOME",
    "java_home": "JAVA_HOME",
    "gcp_credentials": "GOOGLE_APPLICATION_CREDENTIALS",
    "gcs_endpoint": "STORAGE_EMULATOR_HOST",
    "bigquery_endpoint": "BIGQUERY_EMULATOR_HOST",
    "kaggle_api_token": "KAGGLE_API_TOKEN",
    "kaggle_username": "KAGGLE_USERNAME",
    "kaggle_key": "KAGGLE_KEY",
    "kaggle_config_dir": "KAGGLE_CONFIG_DIR",
}
"""Settings that other programs have too, under their names for them; ours win over theirs."""


class SettingsError(UsageError):
    """A setting is wrong; the message names it, what it holds and what it may hold."""


class Settings(BaseSettings):
    """How this installation runs. Each field is the environment variable `CHICAGO_CRIME_<FIELD>` in upper case."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    deployment: Literal["local", "gcp"] = Field("local", description="where the platform runs")
    source: Literal["sample", "folder", "kaggle", "portal"] = Field(
        "sample", description="who hands over the yearly CSVs"
    )
    folder: Path | None = Field(
        None, description="folder with downloaded CSVs (.csv, .csv.gz, .zip), for source=folder"
    )
    portal_url: str = Field(
        "https://data.cityofchicago.org", pattern=r"^https?://[^/@?#\s]+/?$", description="the City's open-data portal"
    )
    portal_app_token: SecretStr | None = Field(
        None, description="app token for the portal: not needed, but with one it is more patient"
    )
    kaggle_api_token: SecretStr | None = Field(None, description="Kaggle's API token, or the file that holds it")
    kaggle_username: str | None = Field(None, description="with kaggle_key, Kaggle's older kind of sign-in")
    kaggle_key: SecretStr | None = Field(None, description="with kaggle_username, Kaggle's older kind of sign-in")
    kaggle_config_dir: Path | None = Field(None, description="folder of kaggle.json; by default ~/.kaggle")
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
        "700MB",
        pattern=r"^\d+(\.\d+)?[KMGT]i?B$",
        description="memory DuckDB may use before it spills to disk",
    )

    gcp_project: str | None = Field(
        None, pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$", description="Google Cloud project, for deployment=gcp"
    )
    gcp_region: str = Field(
        "us-central1", pattern=r"^[a-z]+-[a-z]+\d+$", description="where bucket, dataset and clusters are"
    )
    gcp_credentials: Path | None = Field(
        None, description="service account file; by default the credentials of the machine or of gcloud"
    )
    gcs_bucket: str | None = Field(
        None, pattern=r"^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$", description="bucket for objects, for deployment=gcp"
    )
    bigquery_dataset: str = Field(
        "chicago_crime", pattern=r"^[A-Za-z0-9_]+$", description="dataset that holds the tables"
    )
    bigquery_max_gb_billed: float = Field(
        20, gt=0, description="a statement that would read more than this is refused before it runs"
    )
    dataproc_mode: Literal["cluster", "serverless"] = Field(
        "cluster", description="whether the Spark job runs on a cluster of its own or as a batch"
    )
    dataproc_machine_type: str = Field("n2-standard-4", description="machine of the cluster's master and workers")
    dataproc_workers: int = Field(2, ge=0, le=50, description="workers of the cluster; 0 for a single node")
    dataproc_max_minutes: int = Field(
        120,
        ge=10,
        le=1440,
        description="after so long Google deletes the cluster or batch, whatever became of us",
    )
    dataproc_service_account: str | None = Field(None, description="service account of the cluster's machines")
    dataproc_subnet: str | None = Field(None, description="subnetwork of the cluster; by default the network default")
    kaggle_secret: str | None = Field(
        None,
        pattern=r"^projects/[^/]+/secrets/[\w-]+(/versions/\w+)?$",
        description="secret in Secret Manager that holds Kaggle's API token",
    )
    gcs_endpoint: str | None = Field(None, pattern=ADDRESS, description="address of a Cloud Storage emulator")
    bigquery_endpoint: str | None = Field(None, pattern=ADDRESS, description="address of a BigQuery emulator")
    dataproc_endpoint: str | None = Field(None, pattern=ADDRESS, description="address of a Dataproc emulator")
    google_api_endpoint: str | None = Field(
        None,
        pattern=ADDRESS,
        description="address of an emulator of Secret Manager, Resource Manager and IAM",
    )

    @field_validator("folder", "data_dir", "dagster_home", "java_home", "kaggle_config_dir", "gcp_credentials")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return path.expanduser().absolute() if path else None

    @field_validator("portal_app_token", "kaggle_api_token", "kaggle_key")
    @classmethod
    def _fit_for_a_header(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is None:
            return None
        text = secret.get_secret_value().strip()  # a line end comes along easily when a secret is copied
        if not (text.isascii() and text.isprintable()):
            raise ValueError("it holds characters that no token has: copy it again")
        return SecretStr(text) if text else None

    @model_validator(mode="after")
    def _folder_is_named(self) -> "Settings":
        if self.source == "folder" and self.folder is None:
            raise ValueError(f"{PREFIX}SOURCE=folder needs {PREFIX}FOLDER: the folder that holds the yearly CSVs")
        return self

    @model_validator(mode="after")
    def _cloud_is_named(self) -> "Settings":
        missing = [name for name in ("gcp_project", "gcs_bucket") if getattr(self, name) is None]
        if self.deployment == "gcp" and missing:
            names = " and ".join(PREFIX + name.upper() for name in missing)
            raise ValueError(f"{PREFIX}DEPLOYMENT=gcp needs {names}: where everything is kept")
        return self

    @property
    def home(self) -> Path:
        """The folder where Dagster keeps runs, events and schedules."""
        return self.dagster_home or self.data_dir / "dagster"

    def as_environment(self) -> dict[str, str]:
        """The settings as variables for a program that is started with them. Secrets are in the clear: print none."""
        return {
            f"{PREFIX}{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in self.model_dump(exclude_none=True).items()
        }


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
    for field, name in OTHERS_NAMES.items():
        if field not in overrides and os.environ.get(name) and PREFIX + field.upper() not in os.environ:
            overrides[field] = os.environ[name]
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        problems = [
            f"{_assignment(problem)}: {problem['msg'].removeprefix('Value error, ')}"
            if problem["loc"]
            else problem["msg"].removeprefix("Value error, ")
            for problem in error.errors()
        ]
    raise SettingsError("; ".join(problems))  # outside of `except`: pydantic's error, which has secrets, is not kept


def _assignment(problem: ErrorDetails) -> str:
    """The setting that is wrong, as it was written, unless that is a secret or an address that may hold one."""
    name, written = str(problem["loc"][0]), str(problem["input"])
    is_secret = SecretStr in get_args(Settings.model_fields[name].annotation) or (
        name.endswith(("_url", "_endpoint")) and "@" in written
    )
    return f"{PREFIX}{name.upper()}={'(a secret)' if is_secret else written}"
