"""All settings, with descriptions, defaults and validation. No other module reads the environment."""

import ipaddress
import os
import re
import shlex
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Literal, get_args

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

from chicago_crime.errors import UsageError, with_options

PREFIX = "CHICAGO_CRIME_"
PROJECT_FOLDER = Path(__file__).parent.parent
DATA_FOLDER = (PROJECT_FOLDER if (PROJECT_FOLDER / "setup.py").exists() else Path.cwd()) / "data"
"""In the project's folder, or in the current folder if only the package is installed."""

Bucket = Annotated[str | None, Field(pattern=r"^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$", examples=["my-bucket"])]
Address = Annotated[str | None, Field(pattern=r"^(https?://)?[^/@?#\s]+/?$", examples=["http://127.0.0.1:9000"])]
"""Address of a server, without path, user name or password."""

UNSAFE_IN_PATHS = re.compile(r"[%?*\[\]{}]")
"""DuckDB treats these as patterns, and Dagster cannot open its databases in a folder whose path has a %."""

OTHER_VARIABLES = {
    "java_home": "JAVA_HOME",
    "gcp_credentials": "GOOGLE_APPLICATION_CREDENTIALS",
    "gcs_endpoint": "STORAGE_EMULATOR_HOST",
    "bigquery_endpoint": "BIGQUERY_EMULATOR_HOST",
}
"""Variables of other programs with the same meaning, if ours are not set. DAGSTER_HOME may be another project's."""


class SettingsError(UsageError):
    """A setting is invalid. The message names the setting, its value and the allowed values."""


class Settings(BaseModel):
    """The settings of an installation. `load_settings` reads each field from the variable `CHICAGO_CRIME_<FIELD>`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    _options: frozenset[str] = PrivateAttr(frozenset())

    deployment: Literal["local", "gcp"] = Field("local", description="where the platform runs: `local` or `gcp`")
    source: Literal["sample", "folder", "kaggle", "portal"] = Field(
        "sample", description="source of the records: `sample`, `folder`, `kaggle` or `portal`"
    )
    folder: Path | None = Field(
        None, description="folder with CSV or JSON files, plain or compressed, for source=folder"
    )
    portal_url: str = Field(
        "https://data.cityofchicago.org",
        pattern=r"^https?://[^/@?#\s]+/?$",
        examples=["https://data.cityofchicago.org"],
        description="URL of the City's open data portal",
    )
    portal_app_token: SecretStr | None = Field(
        None, description="app token for the portal; optional, but raises the rate limit"
    )
    portal_whole_after_days: int = Field(
        7,
        ge=0,
        description="days between full downloads of a year from the portal; in between, only changes are downloaded; "
        "0 to always download the full year",
    )
    boundaries: Path | None = Field(
        None, description="folder with the City's boundaries as GeoJSON; default: download them from the portal"
    )
    population: Path | None = Field(
        None,
        description="CSV with population estimates for 2021 and later years, with the columns community_area, year and "
        "population",
    )
    map_tiles: str | None = Field(
        None,
        pattern=r"^https?://[^/@?#\s;,]+/[^\s;,]*\{z\}[^\s;,]*$",
        examples=["https://tile.example.org/{z}/{x}/{y}.png"],
        description="URL of street map tiles with {z}, {x} and {y}, which browsers load; default: no street map",
    )
    map_credit: str = Field("© OpenStreetMap contributors", description="attribution of the map tiles")
    data_dir: Path = Field(DATA_FOLDER, description="folder for all data that the platform writes")
    dagster_home: Path | None = Field(
        None, description="Dagster's folder; default: `dagster` in data_dir; the command line ignores DAGSTER_HOME"
    )
    sample_rows: int = Field(
        20_000, ge=0, le=2_000_000, description="rows per sample year; 0 for as many as in the real year"
    )
    sample_seed: int = Field(1, ge=0, description="random seed of the sample; the same seed produces the same rows")
    spark_engine: Literal["embedded", "jvm"] = Field(
        "embedded", description="local Spark engine: `embedded`, which does not need Java, or `jvm`"
    )
    java_home: Path | None = Field(None, description="Java 17 or 21 for spark_engine=jvm; default: JAVA_HOME")
    keep_snapshots_days: int = Field(
        400, ge=0, description="days to keep published snapshots; the current one is never removed"
    )
    alerts: SecretStr | None = Field(
        None,
        description="Apprise addresses that receive alerts, separated by spaces, such as "
        "mailtos://user:password@example.org or slack://...",
    )
    report_areas: str | None = Field(
        None,
        pattern=r"\w",
        examples=["Austin, 41"],
        description="community areas, by name or number and separated by commas, for which the addresses in "
        "alerts receive a report every week and when something is unusual",
    )
    report_day: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = Field(
        "monday", description="day of the weekly report"
    )
    site_folder: Path | None = Field(
        None,
        description="folder of the static site that the asset `site` writes; default: `site` in data_dir if "
        "gcs_site_bucket is set; otherwise there is no such asset",
    )
    dashboard_hosts: str = Field(
        "",
        pattern=r"^[\w.\s-]*$",
        examples=["crime.example.org"],
        description="host names that the dashboard accepts besides 127.0.0.1 and localhost, separated by spaces",
    )
    dashboard_path: str = Field(
        "",
        pattern=r"^(/[\w.~-]+)*$",
        examples=["/crime"],
        description="path under which a proxy serves the dashboard, such as /crime",
    )
    dashboard_proxies: str = Field(
        "",
        description="addresses or networks of proxies trusted to report client addresses, separated by spaces; "
        "default: none",
    )
    dashboard_requests_per_minute: int = Field(
        120,
        ge=1,
        description="maximum requests per client and minute for downloads, reports, incident pages, the API and MCP",
    )
    threads: int = Field(
        2, ge=1, le=256, description="processor cores for runs and queries in DuckDB, and for spark_engine=jvm"
    )
    duckdb_memory: str = Field(
        "500MB",
        pattern=r"^\d+(\.\d+)?[KMGT]i?B$",
        examples=["700MB"],
        description="memory limit of DuckDB in runs and queries, above which it spills to disk; 256 MB for pages",
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
        description="region of the bucket, dataset and clusters",
    )
    gcp_credentials: Path | None = Field(
        None, description="service account key file; default: those of the machine or gcloud"
    )
    gcs_bucket: Bucket = Field(None, description="bucket for objects and published snapshots, for deployment=gcp")
    gcs_staging_bucket: Bucket = Field(
        None,
        description="bucket for temporary files of runs, which may be deleted after two days; default: gcs_bucket",
    )
    gcs_site_bucket: Bucket = Field(None, description="bucket to which the asset `site` uploads the static site")
    bigquery_dataset: str = Field(
        "chicago_crime",
        pattern=r"^[A-Za-z0-9_]+$",
        examples=["chicago_crime"],
        description="dataset with the tables",
    )
    bigquery_max_gb_billed: float = Field(
        20, gt=0, description="limit in GB billed per statement; larger statements are refused before they run"
    )
    dataproc_mode: Literal["cluster", "serverless"] = Field(
        "cluster", description="run the Spark job on a temporary `cluster` or as a `serverless` batch"
    )
    dataproc_machine_type: str = Field("n2-standard-4", description="machine type of the cluster's master and workers")
    dataproc_workers: int = Field(
        2, ge=0, le=50, description="number of workers: 0 for a single-node cluster, or 2 or more"
    )
    dataproc_max_minutes: int = Field(
        120,
        ge=10,
        le=1440,
        description="maximum lifetime of a cluster or batch in minutes, after which Google deletes it",
    )
    dataproc_service_account: str | None = Field(None, description="service account of the cluster's machines")
    dataproc_subnet: str | None = Field(
        None, description="subnetwork of the cluster; default: the default network's subnetwork"
    )
    kaggle_secret: str | None = Field(
        None,
        pattern=r"^projects/[^/]+/secrets/[\w-]+(/versions/\w+)?$",
        examples=["projects/my-project-1/secrets/kaggle"],
        description="Secret Manager secret with the Kaggle API token",
    )
    gcs_endpoint: Address = Field(None, description="address of a Cloud Storage emulator")
    bigquery_endpoint: Address = Field(None, description="address of a BigQuery emulator")
    dataproc_endpoint: Address = Field(None, description="address of a Dataproc emulator")
    google_api_endpoint: Address = Field(
        None, description="address of an emulator of Secret Manager, Resource Manager and IAM"
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
    def _safe_for_databases(cls, path: Path | None) -> Path | None:
        if found := UNSAFE_IN_PATHS.search(str(path or "")):
            raise ValueError(f"the path {path} contains {found[0]}, which databases cannot use: choose another folder")
        if path and path.is_file():
            raise ValueError("it is a file: choose a folder")
        return path

    @field_validator("dashboard_proxies")
    @classmethod
    def _addresses(cls, proxies: str) -> str:
        for one in proxies.split():
            ipaddress.ip_network(one)  # raises a ValueError with the reason
        return proxies

    @field_validator("portal_app_token")
    @classmethod
    def _valid_header(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is None:
            return None
        text = secret.get_secret_value().strip()  # a copied secret often ends with a newline
        if not (text.isascii() and text.isprintable()):
            raise ValueError("it contains characters that are invalid in a token: copy it again")
        return SecretStr(text) if text else None

    @model_validator(mode="after")
    def _complete(self) -> "Settings":
        if self.source == "folder" and self.folder is None:
            raise ValueError(f"the source 'folder' needs a folder of files: set --folder or {PREFIX}FOLDER")
        if self.report_areas and not self.alerts:
            raise ValueError(f"{PREFIX}REPORT_AREAS needs {PREFIX}ALERTS, the addresses that receive the report")
        missing = [name for name in ("gcp_project", "gcs_bucket") if getattr(self, name) is None]
        if self.gcs_site_bucket and self.deployment != "gcp":
            raise ValueError(
                f"{PREFIX}GCS_SITE_BUCKET needs {PREFIX}DEPLOYMENT=gcp; for a local folder, set {PREFIX}SITE_FOLDER"
            )
        if self.deployment == "gcp" and missing:
            names = " and ".join(PREFIX + name.upper() for name in missing)
            raise ValueError(f"{PREFIX}DEPLOYMENT=gcp needs {names}")
        return self

    @property
    def staging_bucket(self) -> str | None:
        """Bucket for temporary files of runs."""
        return self.gcs_staging_bucket or self.gcs_bucket

    @property
    def home(self) -> Path:
        """Folder with Dagster's runs, events and schedules."""
        return self.dagster_home or self.data_dir / "dagster"

    def assigned(self, field: str) -> str:
        """Return a setting with its value, as the option or variable that the user set."""
        return _assignment(field, getattr(self, field), self._options)

    def complete(self, text: str) -> str:
        """Return a text whose commands have the options for this data folder and source, unless they are defaults."""
        source = f"--source {self.source}" if self.source != Settings.model_fields["source"].default else ""
        if self.folder and self.source == "folder":
            source = f"--folder {shlex.quote(str(self.folder))}"
        return with_options(text, self.data_dir if self.data_dir != DATA_FOLDER else None, source)

    def as_environment(self) -> dict[str, str]:
        """Return the environment for a subprocess, with secrets in plain text: never print it."""
        return os.environ | {
            f"{PREFIX}{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in self.model_dump(exclude_none=True).items()
        }


def load_settings(
    options: Mapping[str, object] | None = None, environment: Mapping[str, str] | None = None, **overrides: object
) -> Settings:
    """Read the settings from an environment, by default that of this process. Empty variables are ignored.

    Command-line options, which errors name instead of the variables, and overrides take precedence.

    Raises:
        SettingsError: a setting is invalid, or a variable starts with `CHICAGO_CRIME_` but is not a setting.
    """
    variables = os.environ if environment is None else environment
    ours = {name.removeprefix(PREFIX).lower(): value for name, value in variables.items() if name.startswith(PREFIX)}
    if unknown := sorted(ours.keys() - Settings.model_fields.keys()):
        names = ", ".join(PREFIX + name.upper() for name in Settings.model_fields)
        wrong = ", ".join(PREFIX + name.upper() for name in unknown)
        raise SettingsError(f"unknown setting {wrong}: the settings are {names}")
    theirs = {field: variables.get(name) for field, name in OTHER_VARIABLES.items() if not ours.get(field)}
    from_environment = {name: value for name, value in (theirs | ours).items() if value}
    options = options or {}
    try:
        settings = Settings.model_validate(from_environment | overrides | dict(options))
        settings._options = frozenset(options)
        return settings
    except ValidationError as error:
        problems = [
            f"{_assignment(str(problem['loc'][0]), problem['input'], options)}: {_explanation(problem)}"
            if problem["loc"]
            else problem["msg"].removeprefix("Value error, ")
            for problem in error.errors()
        ]
    raise SettingsError("; ".join(problems))  # outside `except`, because pydantic's error contains secrets


def _assignment(field: str, value: object, options: Collection[str]) -> str:
    """Return a setting with its value, masking secrets and URLs that may contain one."""
    is_secret = SecretStr in get_args(Settings.model_fields[field].annotation) or (
        field.endswith(("_url", "_endpoint")) and "@" in str(value)
    )
    written = "(a secret)" if is_secret else value
    return f"--{field.replace('_', '-')} {written}" if field in options else f"{PREFIX}{field.upper()}={written}"


def _explanation(problem: ErrorDetails) -> str:
    """Return why a value is invalid, and an example of a valid one."""
    field = Settings.model_fields[str(problem["loc"][0])]
    if problem["type"] == "string_pattern_mismatch" and field.examples:
        return f"use a value like {field.examples[0]} ({field.description})"
    return problem["msg"].removeprefix("Value error, ")
