"""What can be chosen when the platform is provisioned: every key of the stack's configuration, typed and checked.

Here belong the keys, what they may hold, and names that follow from it. How they are read and what is said of wrong
ones is in `read_config.py`, what is made of them in `components/`.
"""

import re
from typing import Annotated, Literal

import pulumi
from pydantic import (
    AliasGenerator,
    BaseModel,
    ConfigDict,
    Field,
    Json,
    StringConstraints,
    ValidationInfo,
    field_validator,
)
from pydantic.alias_generators import to_camel

from machine_types import check_machine, check_machine_for_platform

OWN = "chicago-crime:"
"""What the platform's own keys begin with; the `pulumi` command adds it by itself."""

Member = Annotated[str, StringConstraints(pattern=r"^(user|group|serviceAccount):[^@\s:]+@[^@\s:]+\.[a-z]+$")]


class Config(BaseModel):
    """The configuration of one stack. A field's example is what the message about a wrong value tells to type."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        arbitrary_types_allowed=True,
        alias_generator=AliasGenerator(validation_alias=lambda name: OWN + to_camel(name)),
    )

    stack: str = Field(
        validation_alias="stack",
        pattern=r"^[a-z][a-z0-9-]{0,8}[a-z0-9]$",
        description="2 to 10 lower-case letters, digits and dashes, as it ends the names of accounts",
        examples=["dev"],
    )
    project: str = Field(
        validation_alias="gcp:project",
        pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$",
        description="the id of a Google Cloud project: 6 to 30 lower-case letters, digits and dashes",
        examples=["my-project"],
    )
    region: str = Field(
        "us-central1",
        validation_alias="gcp:region",
        pattern=r"^[a-z]+-[a-z]+\d{1,2}$",
        description="a region of Google Cloud, and neither a zone nor a multi-region",
        examples=["us-central1"],
    )
    zone: str = Field(
        "",
        validation_alias="gcp:zone",
        description="a zone of the region, for the machine; by default the region's zone b",
        examples=["us-central1-b"],
    )
    bucket_name: str = Field(
        "",
        pattern=r"^$|^[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]$",
        description="3 to 63 lower-case letters, digits, dashes and underscores, not yet taken by anybody in the world "
        "and without `google`; by default the project's id, `chicago-crime` and the stack's name",
        examples=["my-project-crimes"],
    )
    dataset: str = Field(
        "chicago_crime",
        pattern=r"^[A-Za-z0-9_]{1,1024}$",
        description="name of the BigQuery dataset: letters, digits and underscores",
        examples=["chicago_crime"],
    )
    keep_data: bool = Field(
        True,
        description="true or false: whether bucket, dataset and disk are protected from `pulumi destroy`; to destroy "
        "them, too, set it to false and run `pulumi up` first",
        examples=["true"],
    )
    source: Literal["sample", "portal", "kaggle"] = Field(
        "portal", description="who hands over the yearly CSVs: sample, portal or kaggle", examples=["portal"]
    )
    kaggle_token: pulumi.Output[str] | None = Field(
        None,
        description="Kaggle's API token; the source kaggle needs it, here or added to the secret by hand",
    )
    machine_type: str = Field(
        "e2-standard-2",
        description="machine of Dagster and the dashboard, with 8 GB of memory or more",
        examples=["e2-standard-2"],
    )
    data_disk_gb: int = Field(
        30,
        ge=10,
        le=2000,
        description="GB of the disk for Dagster's database and the CSVs, 10 to 2000; it can grow and not shrink",
        examples=["30"],
    )
    snapshot_days: int = Field(
        14, ge=1, le=365, description="days that the disk's daily snapshots are kept, 1 to 365", examples=["14"]
    )
    image_tag: str = Field(
        "latest",
        pattern=r"^\w[\w.-]{0,127}$",
        description="tag of the platform's image that the machine runs",
        examples=["latest"],
    )
    nat: bool = Field(
        True,
        description="true or false: whether the machine, which has no public address, reaches the internet: the "
        "sources portal and kaggle, and Docker Hub for the images of PostgreSQL and Compose",
        examples=["true"],
    )
    operators: Json[list[Member]] = Field(
        default_factory=list,
        description="who may open the machine's ports through IAP and log in: user:, group: or serviceAccount: and an "
        "address",
        examples=["--path 'operators[0]' user:you@example.com"],
    )
    dataproc_mode: Literal["cluster", "serverless"] = Field(
        "cluster",
        description="whether the Spark job runs on a cluster of its own or as a batch: cluster or serverless",
        examples=["cluster"],
    )
    dataproc_machine_type: str = Field(
        "n2-standard-4", description="machine of the cluster's master and workers", examples=["n2-standard-4"]
    )
    dataproc_workers: int = Field(
        2, ge=0, le=50, description="workers of the cluster: 0 for a single node, or 2 to 50", examples=["2"]
    )
    github_repository: str = Field(
        "",
        pattern=r"^$|^[A-Za-z0-9-]+/[A-Za-z0-9_.-]+$",
        description="the one repository at GitHub, owner/name, whose workflows may sign in; none by default",
        examples=["owner/name"],
    )
    billing_account: str = Field(
        "",
        pattern=r"^$|^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$",
        description="the billing account of the budget alert; no alert by default",
        examples=["012345-6789AB-CDEF01"],
    )
    monthly_budget: int = Field(
        50,
        ge=1,
        description="what a month may cost before the budget alert is sent, in the billing account's currency",
        examples=["50"],
    )

    @field_validator("bucket_name")
    @classmethod
    def _bucket(cls, name: str) -> str:
        if name.startswith("goog") or "google" in name:
            raise ValueError("Google keeps such names for itself")
        return name

    @field_validator("machine_type")
    @classmethod
    def _machine(cls, name: str) -> str:
        return check_machine_for_platform(name)

    @field_validator("dataproc_machine_type")
    @classmethod
    def _dataproc_machine(cls, name: str) -> str:
        return check_machine(name)

    @field_validator("dataproc_workers")
    @classmethod
    def _workers(cls, number: int) -> int:
        if number == 1:
            raise ValueError("Dataproc knows 0, a single node, or 2 and more")
        return number

    @field_validator("zone")
    @classmethod
    def _zone(cls, zone: str, info: ValidationInfo) -> str:
        region = info.data.get("region")
        if region and not re.fullmatch(rf"({re.escape(region)}-[a-z])?", zone):
            raise ValueError(f"it is no zone of {region}")
        return zone

    @field_validator("nat")
    @classmethod
    def _nat(cls, is_on: bool, info: ValidationInfo) -> bool:
        if not is_on and info.data.get("source") in ("portal", "kaggle"):
            raise ValueError(f"the source {info.data['source']} is in the internet")
        return is_on

    @property
    def bucket(self) -> str:
        """Name of the bucket."""
        return self.bucket_name or f"{self.project}-chicago-crime-{self.stack}"

    @property
    def machine_zone(self) -> str:
        """Zone of the machine and its disk. Every region has a zone b, and some have no zone a."""
        return self.zone or f"{self.region}-b"

    @property
    def labels(self) -> dict[str, str]:
        """By which Google's lists and bills know whatever can be labelled."""
        return {"platform": "chicago-crime", "environment": self.stack, "managed-by": "pulumi"}

    def named(self, what: str = "") -> str:
        """The name that a thing has at Google; the stack's name is in it, so that stacks can share a project."""
        return "-".join(filter(None, ("chicago-crime", self.stack, what)))
