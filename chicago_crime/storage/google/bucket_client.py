"""Dagster's Cloud Storage resource, with what our settings decide: whose credentials, and an emulator's address.

Here belongs making a client. What is stored with it is in `gcs.py`.
"""

from dagster_gcp import GCSResource
from google.cloud import storage
from pydantic import Field

from chicago_crime.storage.google.access import credentials_from, hide_upload_addresses


class PlatformGCSResource(GCSResource):
    """`GCSResource` with the two things that our settings decide and it has no place for.

    By itself it takes the machine's credentials, and an emulator's address only from the environment.
    """

    credentials_file: str | None = Field(default=None, description="credentials file; by default the machine's")
    endpoint: str | None = Field(default=None, description="address of an emulator; by default Google's")

    def get_client(self) -> storage.Client:
        """A client. One of an emulator needs no credentials.

        Raises:
            GoogleError: there are no credentials.
        """
        hide_upload_addresses()
        if self.endpoint and not self.credentials_file:
            options = {"api_endpoint": self.endpoint}
            return storage.Client(self.project, client_options=options, use_auth_w_custom_endpoint=False)
        credentials = credentials_from(self.credentials_file)
        return storage.Client(
            self.project, credentials, client_options={"api_endpoint": self.endpoint} if self.endpoint else None
        )
