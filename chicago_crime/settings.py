"""Settings, each with its meaning, default and choices. No other module reads the environment."""

import ipaddress
import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from chicago_crime.errors import UsageError

PREFIX = "CHICAGO_CRIME_"
PROJECT_FOLDER = Path(__file__).parent.parent
DATA_FOLDER = (PROJECT_FOLDER if (PROJECT_FOLDER / "setup.py").exists() else Path.cwd()) / "data"
"""In the project's folder, or in the current one where only the package is installed."""

ADDRESS = r"^(https?://)?[^/@?#\s]+/?$"
"""Address of a server: no path, no user name and no password."""

UNFIT_FOR_PATHS = re.compile(r"[%?*\[\]{}]")
"""DuckDB reads patterns in a path, and Dagster's databases cannot be opened below a folder with a %."""

BUCKET = r"^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$"

OTHERS_NAMES = {
    "java_home": "JAVA_HOME",
    "gcp_credentials": "GOOGLE_APPLICATION_CREDENTIALS",
    "gcs_endpoint": "STORAGE_EMULATOR_HOST",
    "bigquery_endpoint": "BIGQUERY_EMULATOR_HOST",
}
"""Variables of other programs that set the same thing. Ours take precedence. DAGSTER_HOME may be another project's."""


class SettingsError(UsageError):
    """A setting is wrong; the message names it, its value and the values that are allowed."""


class Settings(BaseModel):
    """How an installation runs. `load_settings` reads each field from the variable `CHICAGO_CRIME_<FIELD>`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    _options: frozenset[str] = PrivateAttr(frozenset())

    deployment: Literal["local", "gcp"] = Field("local", description="where the platform runs")
    source: Literal["sample", "folder", "kaggle", "portal"] = Field(
        "sample", description="where the yearly CSVs come from"
    )
    folder: Path | None = Field(
        None, description="folder with CSV or JSON files, plain or compressed, for source=folder"
    )
    portal_url: str = Field(
        "https://data.cityofchicago.org",
        pattern=r"^https?://[^/@?#\s]+/?$",
        examples=["https://data.cityofchicago.org"],
        description="the City's open-data portal",
    )
    portal_app_token: SecretStr | None = Field(
        None, description="app token for the portal: optional, raises the rate limit"
    )
    portal_whole_after_days: int = Field(
        7,
        ge=0,
        description="days after which a year of the portal is read whole again, as a check; until then, only what "
        "changed is read; 0 to read it whole every time",
    )
    boundaries: Path | None = Field(
        None, description="folder with the City's boundaries as GeoJSON; default: they are fetched from the portal"
    )
    population: Path | None = Field(
        None,
        description="CSV with population estimates of years after the census of 2020: community_area, year, population",
    )
    map_tiles: str | None = Field(
        None,
        pattern=r"^https?://[^/@?#\s;,]+/[^\s;,]*\{z\}[^\s;,]*$",
        examples=["https://tile.example.org/{z}/{x}/{y}.png"],
        description="address of street map tiles with {z}, {x} and {y}, which browsers then load; default: no streets",
    )
    map_credit: str = Field("© OpenStreetMap contributors", description="whom the map names as the source of the tiles")
    data_dir: Path = Field(DATA_FOLDER, description="folder for everything the platform writes")
    dagster_home: Path | None = Field(
        None, description="Dagster's folder; default `dagster` in data_dir; the command line reads no DAGSTER_HOME"
    )
    sample_rows: int = Field(
        20_000, ge=0, le=2_000_000, description="rows per year of the sample; 0 for as many as the real year has"
    )
    sample_seed: int = Field(1, ge=0, description="seed of the sample: the same seed gives the same rows")
    spark_engine: Literal["embedded", "jvm"] = Field(
        "embedded", description="engine of the Spark job: embedded needs no Java"
    )
    java_home: Path | None = Field(None, description="Java 17 or 21 for spark_engine=jvm; default JAVA_HOME")
    keep_snapshots_days: int = Field(
        400, ge=0, description="days for which published snapshots are kept; the current one always is"
    )
    alerts: SecretStr | None = Field(
        None,
        description="who is told when something is wrong: addresses as Apprise reads them, separated by spaces, as "
        "mailtos://user:password@example.org or slack://...",
    )
    report_areas: str | None = Field(
        None,
        pattern=r"\w",
        examples=["Austin, 41"],
        description="community areas, by name or number and separated by commas, on which they are sent a report: each "
        "week, and when something in one is unusual",
    )
    report_day: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = Field(
        "monday", description="day of the week on which the report is sent"
    )
    site_folder: Path | None = Field(
        None,
        description="folder of the static site that the asset `site` writes; default: `site` in data_dir if "
        "gcs_site_bucket is set, and else there is no such asset",
    )
    dashboard_hosts: str = Field(
        "",
        pattern=r"^[\w.\s-]*$",
        examples=["crime.example.org"],
        description="host names that the dashboard answers to besides 127.0.0.1 and localhost, separated by spaces",
    )
    dashboard_path: str = Field(
        "",
        pattern=r"^(/[\w.~-]+)*$",
        examples=["/crime"],
        description="path under which a proxy serves the dashboard, as /crime",
    )
    dashboard_proxies: str = Field(
        "",
        description="addresses or networks of the proxies that say who a client is, separated by spaces; "
        "default: none is believed",
    )
    dashboard_requests_per_minute: int = Field(
        120, ge=1, description="downloads, reports, incidents and answers to programs for each client a minute"
    )
    threads: int = Field(2, ge=1, le=256, description="processor cores for DuckDB and for spark_engine=jvm")
    duckdb_memory: str = Field(
        "500MB",
        pattern=r"^\d+(\.\d+)?[KMGT]i?B$",
        examples=["700MB"],
        description="memory that DuckDB uses before it spills to disk",
    )

    gcp_project: str | None = Field(
        None,
        pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$",
        examples=["my-project-1"],
        description="Google Cloud project, for deployment=gcp",
    )
    gcp_region: str = Field(
        "us-central1",
        pattern=r"^[a-z]+-[a-z]+\d+$",
        examples=["us-central1"],
        description="region of bucket, dataset and clusters",
    )
    gcp_credentials: Path | None = Field(
        None, description="service account key file; default: the credentials of the machine or of gcloud"
    )
    gcs_bucket: str | None = Field(
        None,
        pattern=BUCKET,
        examples=["my-bucket"],
        description="bucket for objects and published snapshots, for deployment=gcp",
    )
    gcs_staging_bucket: str | None = Field(
        None,
        pattern=BUCKET,
        examples=["my-bucket"],
        description="bucket for files of a run, which may be deleted after two days; default gcs_bucket",
    )
    gcs_site_bucket: str | None = Field(
        None,
        pattern=BUCKET,
        examples=["my-bucket"],
        description="bucket to which the asset `site` uploads the static site",
    )
    bigquery_dataset: str = Field(
        "chicago_crime",
        pattern=r"^[A-Za-z0-9_]+$",
        examples=["chicago_crime"],
        description="dataset that holds the tables",
    )
    bigquery_max_gb_billed: float = Field(
        20, gt=0, description="limit in GB per statement; one that would read more is refused before it runs"
    )
    dataproc_mode: Literal["cluster", "serverless"] = Field(
        "cluster", description="run the Spark job on its own cluster, or as a serverless batch"
    )
    dataproc_machine_type: str = Field("n2-standard-4", description="machine type of the cluster's master and workers")
    dataproc_workers: int = Field(2, ge=0, le=50, description="number of workers; 0 for a single-node cluster")
    dataproc_max_minutes: int = Field(
        120,
        ge=10,
        le=1440,
        description="maximum lifetime in minutes of a cluster or batch; Google then deletes it",
    )
    dataproc_service_account: str | None = Field(None, description="service account of the cluster's machines")
    dataproc_subnet: str | None = Field(
        None, description="subnetwork of the cluster; default: that of the default network"
    )
    kaggle_secret: str | None = Field(
        None,
        pattern=r"^projects/[^/]+/secrets/[\w-]+(/versions/\w+)?$",
        examples=["projects/my-project-1/secrets/kaggle"],
        description="Secret Manager secret that contains the Kaggle API token",
    )
    gcs_endpoint: str | None = Field(
        None, pattern=ADDRESS, examples=["http://127.0.0.1:9000"], description="address of a Cloud Storage emulator"
    )
    bigquery_endpoint: str | None = Field(
        None, pattern=ADDRESS, examples=["http://127.0.0.1:9000"], description="address of a BigQuery emulator"
    )
    dataproc_endpoint: str | None = Field(
        None, pattern=ADDRESS, examples=["http://127.0.0.1:9000"], description="address of a Dataproc emulator"
    )
    google_api_endpoint: str | None = Field(
        None,
        pattern=ADDRESS,
        examples=["http://127.0.0.1:9000"],
        description="address of an emulator of Secret Manager, Resource Manager and IAM",
    )

    @field_validator(
        *("folder", "boundaries", "population", "data_dir", "dagster_home", "java_home", "gcp_credentials"),
        "site_folder",
    )
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return Path(os.path.expanduser(path)).absolute() if path else None  # noqa: PTH111 - Path's fails for ~nobody

    @field_validator("data_dir", "dagster_home")
    @classmethod
    def _fit_for_databases(cls, path: Path | None) -> Path | None:
        if found := UNFIT_FOR_PATHS.search(str(path or "")):
            raise ValueError(f"the path {path} contains {found[0]}, which databases misread: choose another folder")
        if path and path.is_file():
            raise ValueError("it is a file: choose a folder")
        return path

    @field_validator("dashboard_proxies")
    @classmethod
    def _addresses(cls, proxies: str) -> str:
        for one in proxies.split():
            ipaddress.ip_network(one)  # whose error says what is wrong
        return proxies

    @field_validator("portal_app_token")
    @classmethod
    def _fit_for_a_header(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is None:
            return None
        text = secret.get_secret_value().strip()  # a copied secret often ends with a newline
        if not (text.isascii() and text.isprintable()):
            raise ValueError("it contains characters that a token cannot have: copy it again")
        return SecretStr(text) if text else None

    @model_validator(mode="after")
    def _what_is_needed_is_named(self) -> "Settings":
        if self.source == "folder" and self.folder is None:
            raise ValueError(
                f"the source 'folder' needs the folder with the yearly CSVs: name it with --folder or {PREFIX}FOLDER"
            )
        if self.report_areas and not self.alerts:
            raise ValueError(f"{PREFIX}REPORT_AREAS needs {PREFIX}ALERTS, the addresses to which the report is sent")
        missing = [name for name in ("gcp_project", "gcs_bucket") if getattr(self, name) is None]
        if self.gcs_site_bucket and self.deployment != "gcp":
            raise ValueError(f"{PREFIX}GCS_SITE_BUCKET needs {PREFIX}DEPLOYMENT=gcp; a folder is {PREFIX}SITE_FOLDER")
        if self.deployment == "gcp" and missing:
            names = " and ".join(PREFIX + name.upper() for name in missing)
            raise ValueError(f"{PREFIX}DEPLOYMENT=gcp needs {names}")
        return self

    @property
    def staging_bucket(self) -> str | None:
        """The bucket for files of a run."""
        return self.gcs_staging_bucket or self.gcs_bucket

    @property
    def home(self) -> Path:
        """The folder in which Dagster stores runs, events and schedules."""
        return self.dagster_home or self.data_dir / "dagster"

    def assigned(self, field: str) -> str:
        """A setting as its user writes it: as an option if the command line gave one, else as a variable."""
        return _assignment(field, getattr(self, field), self._options)

    def as_environment(self) -> dict[str, str]:
        """The settings as variables for a subprocess, with secrets in plain text: never print them."""
        return {
            f"{PREFIX}{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in self.model_dump(exclude_none=True).items()
        }


def load_settings(options: Mapping[str, object] | None = None, **overrides: object) -> Settings:
    """Read the settings from the environment. An empty variable counts as unset.

    Args:
        options: settings that options of a command line give, and by whose names errors call them.
        overrides: other settings that take precedence over the environment.

    Raises:
        SettingsError: a setting is wrong, or a variable starts with `CHICAGO_CRIME_` but is not a setting.
    """
    ours = {name.removeprefix(PREFIX).lower(): value for name, value in os.environ.items() if name.startswith(PREFIX)}
    if unknown := sorted(ours.keys() - Settings.model_fields.keys()):
        names = ", ".join(PREFIX + name.upper() for name in Settings.model_fields)
        wrong = ", ".join(PREFIX + name.upper() for name in unknown)
        raise SettingsError(f"unknown setting {wrong}: the settings are {names}")
    theirs = {field: os.environ.get(name) for field, name in OTHERS_NAMES.items() if field not in ours}
    from_environment = {name: value for name, value in (theirs | ours).items() if value}
    options = options or {}
    try:
        settings = Settings.model_validate(from_environment | overrides | dict(options))
        settings._options = frozenset(options)
        return settings
    except ValidationError as error:
        problems = [
            f"{_assignment(str(problem['loc'][0]), problem['input'], options)}: {_what_is_wrong(problem)}"
            if problem["loc"]
            else problem["msg"].removeprefix("Value error, ")
            for problem in error.errors()
        ]
    raise SettingsError("; ".join(problems))  # outside `except`, so that pydantic's error, with its secrets, is dropped


def _assignment(field: str, value: object, options: Collection[str]) -> str:
    """A setting and its value, unless that is a secret or an address that may contain one."""
    is_secret = SecretStr in get_args(Settings.model_fields[field].annotation) or (
        field.endswith(("_url", "_endpoint")) and "@" in str(value)
    )
    written = "(a secret)" if is_secret else value
    return f"--{field.replace('_', '-')} {written}" if field in options else f"{PREFIX}{field.upper()}={written}"


def _what_is_wrong(problem: ErrorDetails) -> str:
    """Why a value is refused, and what to write in its place."""
    field = Settings.model_fields[str(problem["loc"][0])]
    if problem["type"] == "string_pattern_mismatch" and field.examples:
        return f"write it as {field.examples[0]} ({field.description})"
    return problem["msg"].removeprefix("Value error, ")
