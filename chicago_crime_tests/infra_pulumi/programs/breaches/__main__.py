"""A program that breaks each rule of the policy pack, and next to each breach does the same thing well.

A resource is named `<rule> ...` if it breaks that rule and no other, and `well ...` if it breaks none. The provider
takes all of them.
"""

from typing import Any

import pulumi
from pulumi_gcp import bigquery, compute, iam, organizations, projects, serviceaccount, storage

PROD = {"platform": "chicago-crime", "environment": "prod", "managed-by": "pulumi"}
DEV = {**PROD, "environment": "dev"}
PLACE, ZONE = "us-central1", "us-central1-b"
SOMEBODY = "user:a@example.com"
OPEN_POLICY = '{"bindings":[{"role":"roles/storage.objectViewer","members":["allUsers"]}]}'


def bucket(name: str, *, protect: bool = False, **other: Any) -> None:
    """A bucket that is well but for what is given."""
    well = {
        "location": PLACE,
        "labels": DEV,
        "uniform_bucket_level_access": True,
        "public_access_prevention": "enforced",
        "versioning": {"enabled": True},
    }
    storage.Bucket(name, **{**well, **other}, opts=pulumi.ResourceOptions(protect=protect))


def dataset(name: str, *, protect: bool = False, **other: Any) -> None:
    """A dataset that is well but for what is given."""
    well = {"dataset_id": "crimes", "location": PLACE, "labels": DEV}
    bigquery.Dataset(name, **{**well, **other}, opts=pulumi.ResourceOptions(protect=protect))


def firewall(name: str, **other: Any) -> None:
    """A firewall's rule that is well but for what is given."""
    well = {"network": "n", "source_ranges": ["35.235.240.0/20"], "allows": [{"protocol": "tcp", "ports": ["22"]}]}
    compute.Firewall(name, **{**well, **other})


def machine(name: str, **other: Any) -> None:
    """A machine that is well but for what is given."""
    well = {
        "machine_type": "e2-standard-2",
        "zone": ZONE,
        "labels": DEV,
        "boot_disk": {"initialize_params": {"image": "cos-cloud/cos-stable"}},
        "network_interfaces": [{"subnetwork": "s"}],
        "service_account": {"email": "a@a-project.iam.gserviceaccount.com", "scopes": ["cloud-platform"]},
        "shielded_instance_config": SHIELDED,
        "metadata": {"enable-oslogin": "TRUE", "serial-port-enable": "FALSE"},
    }
    compute.Instance(name, **{**well, **other})


SHIELDED = {"enable_secure_boot": True, "enable_vtpm": True, "enable_integrity_monitoring": True}

bucket("well")
bucket("well prod", labels=PROD, protect=True)
bucket("well throwaway", force_destroy=True)
bucket("buckets-are-closed to single objects", uniform_bucket_level_access=False)
bucket("buckets-are-closed by default", public_access_prevention="inherited")
bucket("buckets-are-versioned not", versioning={"enabled": False})
bucket("buckets-are-versioned absent", versioning=None)
bucket("data-is-protected bucket", labels=PROD)
bucket("data-is-protected emptied bucket", labels=PROD, protect=True, force_destroy=True)
bucket("everything-is-labelled not at all", labels=None)
bucket("everything-is-labelled in part", labels={"platform": "chicago-crime", "environment": "dev"})

dataset("well dataset")
dataset("data-is-protected dataset", labels=PROD)
dataset("data-is-protected emptied dataset", labels=PROD, protect=True, delete_contents_on_destroy=True)
dataset("everything-is-labelled dataset", labels={})
dataset("no-public-access dataset", accesses=[{"role": "READER", "special_group": "allAuthenticatedUsers"}])
dataset("no-whole-domains dataset", accesses=[{"role": "READER", "domain": "example.com"}])
bigquery.DatasetAccess("no-whole-domains access", dataset_id="crimes", role="READER", domain="example.com")
compute.Disk("data-is-protected disk", zone=ZONE, labels=PROD)

reader = "roles/storage.objectViewer"
storage.BucketIAMMember("well member", bucket="b", role=reader, member=SOMEBODY)
storage.BucketIAMMember("no-public-access member", bucket="b", role=reader, member="allUsers")
storage.BucketIAMBinding("no-public-access binding", bucket="b", role=reader, members=["allAuthenticatedUsers"])
storage.BucketIAMPolicy("no-public-access policy", bucket="b", policy_data=OPEN_POLICY)
storage.BucketACL("no-public-access list", bucket="b", predefined_acl="publicRead")
serviceaccount.Key("no-keys account", service_account_id="a@a-project.iam.gserviceaccount.com")
storage.HmacKey("no-keys storage", service_account_email="a@a-project.iam.gserviceaccount.com")
projects.IAMMember("well job user", project="a-project", role="roles/bigquery.jobUser", member=SOMEBODY)
projects.IAMMember("no-wide-roles basic", project="a-project", role="roles/editor", member=SOMEBODY)
projects.IAMMember("no-wide-roles admin", project="a-project", role="roles/storage.objectAdmin", member=SOMEBODY)
organizations.IAMMember("no-wide-roles organization", org_id="1", role="roles/owner", member=SOMEBODY)
projects.IAMBinding("no-whole-policies one role", project="a-project", role=reader, members=[SOMEBODY])
projects.IAMPolicy("no-whole-policies all roles", project="a-project", policy_data="{}")
acts = "roles/iam.serviceAccountUser"
projects.IAMMember("no-wide-impersonation project", project="a-project", role=acts, member=SOMEBODY)
serviceaccount.IAMMember(
    "well impersonation", service_account_id="projects/p/serviceAccounts/a", role=acts, member=SOMEBODY
)

hub = {"issuer_uri": "https://token.actions.githubusercontent.com"}
names: dict[str, Any] = {"workload_identity_pool_id": "pool", "workload_identity_pool_provider_id": "hub", "oidc": hub}
limit = "assertion.repository == 'owner/name'"
iam.WorkloadIdentityPoolProvider("well federation", **names, attribute_condition=limit)
iam.WorkloadIdentityPoolProvider("federation-is-limited not", **names)

machine("well machine")
machine("machines-are-shielded in part", shielded_instance_config={**SHIELDED, "enable_secure_boot": False})
machine("machines-are-shielded not at all", shielded_instance_config=None)
machine("login-by-role not", metadata={"a": "b"})
machine("login-by-role but for a key", metadata={"enable-oslogin": "TRUE", "ssh-keys": "me:ssh-ed25519 AAAA"})
machine("login-by-role but for the port", metadata={"enable-oslogin": "TRUE", "serial-port-enable": "TRUE"})
machine("machines-have-own-accounts none", service_account=None)
default = {"email": "123456789012-compute@developer.gserviceaccount.com", "scopes": ["cloud-platform"]}
machine("machines-have-own-accounts default", service_account=default)
machine("no-public-addresses any", network_interfaces=[{"subnetwork": "s", "access_configs": [{}]}])
six = [{"network_tier": "PREMIUM"}]
machine("no-public-addresses new", network_interfaces=[{"subnetwork": "s", "ipv6_access_configs": six}])

firewall("well firewall")
firewall("well way out", direction="EGRESS", source_ranges=None, destination_ranges=["0.0.0.0/0"])
firewall("well denial", source_ranges=["0.0.0.0/0"], allows=None, denies=[{"protocol": "all"}])
firewall("no-open-firewalls old", source_ranges=["35.235.240.0/20", "0.0.0.0/0"])
firewall("no-open-firewalls new", source_ranges=["::/0"])
firewall("no-open-firewalls halves", source_ranges=["0.0.0.0/1", "128.0.0.0/1"])
firewall("no-open-firewalls nothing said", source_ranges=None)

compute.Network("well network", auto_create_subnetworks=False)
compute.Network("networks-are-small by default")
subnet: dict[str, Any] = {"network": "n", "ip_cidr_range": "10.0.0.0/24", "region": PLACE}
compute.Subnetwork("well subnet", **subnet, private_ip_google_access=True)
compute.Subnetwork("subnets-reach-google not", **subnet)
