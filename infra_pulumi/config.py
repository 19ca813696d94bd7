"""The stack's configuration: every key with its type, meaning and default, and `load_config`, which validates it.

An invalid configuration stops the program before anything is created. The error lists all invalid keys, each with the
command that sets it.
"""

import re
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, get_args

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env, is_config_secret
from pydantic import (
    AliasGenerator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Json,
    SecretStr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from env_file import PREFIX, as_lines

sys.path.append(str(Path(__file__).parents[1]))  # for the platform's package, which defines the settings

from chicago_crime.settings import Settings, SettingsError, load_settings

OWN = "chicago-crime:"
"""The namespace of the platform's own keys, which the `pulumi` command adds."""

X86 = "(?!t2a|c4a|n4a|a4x)[a-z][0-9][a-z]?"
"""Machine families with x86 processors, the only ones that the images are built for."""

Member = Annotated[str, StringConstraints(pattern=r"^(user|group|serviceAccount):[^@\s:]+@[^@\s:]+\.[a-z]+\Z")]


FIELD_OF = {PREFIX + field.upper(): field for field in Settings.model_fields}
"""Environment variable -> field of the platform's settings."""

SECRET_SETTINGS = {name for name in FIELD_OF if SecretStr in get_args(Settings.model_fields[FIELD_OF[name]].annotation)}
"""The variables that hold secrets."""


class Config(BaseModel):
    """The configuration of one stack. Error messages suggest a field's example, or else its default."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        arbitrary_types_allowed=True,
        regex_engine="python-re",
        alias_generator=AliasGenerator(validation_alias=lambda name: OWN + to_camel(name)),
    )

    stack: str = Field(
        validation_alias="stack",
        pattern=r"^[a-z][a-z0-9-]{0,8}[a-z0-9]\Z",
        description="2 to 10 lower-case letters, digits and dashes, because it is part of account names",
        examples=["dev"],
    )
    project: str = Field(
        validation_alias="gcp:project",
        pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]\Z",
        description="the id of a Google Cloud project: 6 to 30 lower-case letters, digits and dashes",
        examples=["my-project"],
    )
    region: str = Field(
        "us-central1",
        validation_alias="gcp:region",
        pattern=r"^[a-z]+-[a-z]+\d{1,2}\Z",
        description="a Google Cloud region, neither a zone nor a multi-region",
    )
    zone: str = Field(
        "",
        validation_alias="gcp:zone",
        description="the machine's zone, in the region; by default the region's zone b",
        examples=["us-central1-b"],
    )
    bucket_name: str = Field(
        "",
        pattern=r"^(?!goog|.*google)([a-z0-9][a-z0-9_-]{1,53}[a-z0-9])?\Z",
        description="a globally unique bucket name: 3 to 55 lower-case letters, digits, dashes and underscores, "
        "without `google`; by default PROJECT-chicago-crime-STACK",
        examples=["my-project-crimes"],
    )
    dataset: str = Field(
        "chicago_crime",
        pattern=r"^[A-Za-z0-9_]{1,1024}\Z",
        description="the name of the BigQuery dataset: letters, digits and underscores",
    )
    keep_data: bool = Field(
        True,
        description="true or false: whether bucket, dataset and disk are protected from `pulumi destroy`; to destroy "
        "them as well, set it to false and run `pulumi up` first",
    )
    source: Literal["sample", "portal", "kaggle"] = Field(
        "portal", description="the source of the records: sample, portal or kaggle"
    )
    kaggle_token: pulumi.Output[str] | None = Field(
        None, description="Kaggle's API token, for the source kaggle; you can also add it to the secret yourself"
    )
    machine_type: str = Field(
        "e2-standard-2",
        pattern=rf"^(?![a-z]4){X86}-((standard|highmem)-([2-9]|[1-9]\d+)|highcpu-[1-9]\d+)(-lssd)?\Z",
        description="the type of the machine for Dagster and the dashboard: x86, with 8 GB of memory or more, and not "
        "c4, n4 or similar, which do not support persistent disks",
    )
    data_disk_gb: int = Field(
        30,
        ge=10,
        le=2000,
        description="the size in GB of the disk for Dagster's database and the CSVs, 10 to 2000; it can only grow",
    )
    snapshot_days: int = Field(
        14, ge=1, le=365, description="with keepData, the retention of the disk's daily snapshots, 1 to 365 days"
    )
    image_tag: str = Field(
        "latest",
        pattern=r"^\w[\w.-]{0,127}\Z",
        description="the tag of the image that the machine runs",
    )
    public_site: bool = Field(
        False,
        description="true or false: whether the static site's bucket is public; no other bucket is",
        examples=["true"],
    )
    settings: Json[dict[str, Annotated[str, BeforeValidator(str)]]] = Field(
        default_factory=dict,
        repr=False,
        description="other settings of the platform, by their names in docs/reference/settings.md; with --secret if "
        "one holds a secret",
        examples=[f"{PREFIX}DASHBOARD_HOSTS crime.example.org"],
    )
    operators: Json[list[Member]] = Field(
        default_factory=list,
        description="who may open the tunnel to the machine: user:, group: or serviceAccount: and an address",
        examples=["user:you@example.com"],
    )
    dataproc_mode: Literal["cluster", "serverless"] = Field(
        "cluster",
        description="where the Spark job runs: cluster (one per run) or serverless (a batch)",
    )
    dataproc_machine_type: str = Field(
        "n2-standard-4",
        pattern=rf"^{X86}-(standard|highmem|highcpu)-[1-9]\d*(-lssd)?\Z",
        description="the type of the cluster's master and workers, an x86 machine",
    )
    dataproc_workers: int = Field(2, ge=0, le=50, description="workers of the cluster: 0 for a single node, or 2 to 50")
    github_repository: str = Field(
        "",
        pattern=r"^([A-Za-z0-9-]+/[A-Za-z0-9_.-]+)?\Z",
        description="the GitHub repository, owner/name, whose workflows may sign in; none by default",
        examples=["owner/name"],
    )
    github_repository_id: str = Field(
        "",
        pattern=r"^[0-9]*\Z",
        validate_default=True,
        description="the numeric id of githubRepository: `gh api repos/OWNER/NAME --jq .id`",
        examples=["123456789"],
    )
    billing_account: str = Field(
        "",
        pattern=r"^([0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6})?\Z",
        description="the billing account of the budget alert; no alert by default",
        examples=["012345-6789AB-CDEF01"],
    )
    project_number: str = Field(
        "",
        pattern=r"^[0-9]*\Z",
        validate_default=True,
        description="the project's number: `gcloud projects describe PROJECT --format='value(projectNumber)'`",
        examples=["123456789012"],
    )
    monthly_budget: int = Field(
        50,
        ge=1,
        description="the monthly budget of the alert, in the billing account's currency",
    )

    @field_validator("dataproc_workers")
    @classmethod
    def _check_workers(cls, number: int) -> int:
        if number == 1:
            raise ValueError("a Dataproc cluster has a single node, or 2 or more workers")
        return number

    @field_validator("zone")
    @classmethod
    def _check_zone(cls, zone: str, info: ValidationInfo) -> str:
        region = info.data.get("region")
        if region and not re.fullmatch(rf"({re.escape(region)}-[a-z])?", zone):
            raise ValueError(f"not a zone of {region}")
        return zone

    @field_validator("settings")
    @classmethod
    def _check_settings(cls, settings: dict[str, str]) -> dict[str, str]:
        if unknown := sorted(settings.keys() - FIELD_OF.keys()):
            near = get_close_matches(unknown[0], FIELD_OF, 1)
            raise ValueError(f"there is no setting {unknown[0]}" + (f"; did you mean {near[0]}?" if near else ""))
        try:
            load_settings(environment=settings)
        except SettingsError as error:
            raise ValueError(str(error)) from None
        as_lines(settings)  # raises an error for values that an environment file cannot hold
        return settings

    @field_validator("github_repository_id", "project_number")
    @classmethod
    def _check_companion(cls, value: str, info: ValidationInfo) -> str:
        other = "github_repository" if info.field_name == "github_repository_id" else "billing_account"
        if info.data.get(other) and not value:
            raise ValueError(f"required with {to_camel(other)}")
        return value

    @property
    def plain_settings(self) -> dict[str, str]:
        """The `settings` that hold no secrets."""
        return {name: value for name, value in self.settings.items() if name not in SECRET_SETTINGS}

    @property
    def secret_settings(self) -> pulumi.Output[str] | None:
        """The `settings` that hold secrets, as an environment file."""
        secret = {name: value for name, value in self.settings.items() if name in SECRET_SETTINGS}
        return pulumi.Output.secret(as_lines(secret)) if secret else None

    @property
    def bucket(self) -> str:
        """The name of the lake's bucket, and prefix of the others."""
        return self.bucket_name or f"{self.project}-chicago-crime-{self.stack}"

    @property
    def machine_zone(self) -> str:
        """The zone of the machine and its disk: every region has a zone b, but some have no zone a."""
        return self.zone or f"{self.region}-b"

    @property
    def labels(self) -> dict[str, str]:
        """The labels of every resource that supports labels, for Google's lists and bills."""
        return {"platform": "chicago-crime", "environment": self.stack, "managed-by": "pulumi"}

    def named(self, what: str = "") -> str:
        """Return the name of a Google resource. It includes the stack's name, so that stacks can share a project."""
        return "-".join(filter(None, ("chicago-crime", self.stack, what)))


FIELDS = {str(field.validation_alias): field for field in Config.model_fields.values()}
"""Configuration key -> field."""

TOKEN, SETTINGS = OWN + "kaggleToken", OWN + "settings"


class ConfigError(pulumi.RunError):
    """The configuration is invalid. Pulumi prints the message without a traceback."""


def load_config() -> Config:
    """Read and validate the stack's configuration.

    Raises:
        ConfigError: keys are invalid, missing or unknown.
    """
    given = {**get_config_env(), **CONFIG.get()}  # all keys, to find misspelled ones
    values = {key: value for key, value in given.items() if key.startswith(OWN) or key in FIELDS}
    problems = []
    if TOKEN in values:
        if not is_config_secret(TOKEN):
            problems.append(_problem(TOKEN, "it is stored in plain text"))
        elif not values[TOKEN].strip():
            problems.append(_problem(TOKEN, "it is empty"))
        values[TOKEN] = pulumi.Output.secret(values[TOKEN])
    try:
        config = Config.model_validate({**values, "stack": pulumi.get_stack()})
        if (secret := config.settings.keys() & SECRET_SETTINGS) and not is_config_secret(SETTINGS):
            problems.append(_problem(SETTINGS, f"without --secret, {', '.join(secret)} is stored in plain text"))
    except ValidationError as error:
        problems += [_describe(each) for each in error.errors()]
    if problems:
        raise ConfigError(f"The configuration of the stack {pulumi.get_stack()} is invalid:\n" + "\n".join(problems))
    return config


def _describe(error: ErrorDetails) -> str:
    """Return the message about one validation error."""
    location = str(error["loc"][0])  # the field's name instead of its key, if the value is a default
    field = Config.model_fields.get(location)
    key = str(field.validation_alias) if field else location
    if key not in FIELDS:
        near = get_close_matches(key, FIELDS, 1)
        hint = f"; did you mean {near[0].removeprefix(OWN)}?" if near else ""
        return f"  {key.removeprefix(OWN)}: there is no such key{hint}\n      pulumi config rm {key}"
    if error["type"] == "missing":
        return _problem(key, "it is not set")
    reason = "invalid" if error["type"] == "string_pattern_mismatch" else error["msg"].removeprefix("Value error, ")
    return _problem(key, f"{error['input']!r}: {reason}" if error["input"] and key != SETTINGS else reason)


def _problem(key: str, what: str) -> str:
    """Return the message about one key: the problem, the key's meaning, and the command that sets it."""
    name, field = key.removeprefix(OWN), FIELDS[key]
    example = (field.examples or [str(field.default).lower()])[0]
    command = {
        "stack": f"pulumi stack rename {example}",
        "operators": f"pulumi config set --path 'operators[0]' {example}",
        "settings": f"pulumi config set --path settings.{example}",
        "kaggleToken": f"pulumi config set --secret {name}",
    }.get(name, f"pulumi config set {name} {example}")
    return f"  {name}: {what}\n      {field.description}\n      {command}"
