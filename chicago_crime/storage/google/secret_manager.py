"""Google's Secret Manager, which can store Kaggle's token."""

import base64

from pydantic import SecretStr

from chicago_crime.errors import how_to_add
from chicago_crime.settings import Settings
from chicago_crime.sources.base import SourceError
from chicago_crime.sources.retry import RetryPolicy
from chicago_crime.storage.google.access import call, credentials_for, google_retry


def read_secret(name: str, settings: Settings, policy: RetryPolicy | None = None) -> SecretStr:
    """Return the text of a secret: the newest version of `projects/P/secrets/S`, or the one with `/versions/V`.

    Raises:
        SourceError: the secret does not exist, may not be read or holds no token, or Google is unreachable.
    """
    try:
        from google.api_core.exceptions import NotFound, from_http_response
        from google.auth.transport.requests import AuthorizedSession
    except ImportError:
        raise SourceError(f"CHICAGO_CRIME_KAGGLE_SECRET needs Google's libraries: {how_to_add('gcp')}") from None
    version, policy = name if "/versions/" in name else f"{name}/versions/latest", policy or RetryPolicy()
    _, project, _, secret = name.split("/")[:4]
    endpoint = settings.google_api_endpoint
    address = f"{endpoint or 'https://secretmanager.googleapis.com'}/v1/{version}:access"

    def request() -> str:  # the only request to this service, which is not worth its client library
        with AuthorizedSession(credentials_for(settings, endpoint)) as session:
            response = session.get(address, timeout=policy.timeout_s)
            if not response.ok:
                raise from_http_response(response)
            return base64.b64decode(response.json()["payload"]["data"]).decode(errors="replace").strip()

    grant = (
        f"grant the role with `gcloud secrets add-iam-policy-binding {secret} --project={project} "
        "--role=roles/secretmanager.secretAccessor --member=` and the account"
    )
    try:
        text = call(google_retry(policy, "Secret Manager")(request), "Secret Manager", SourceError, grant)
    except NotFound:
        text, problem = "", f"there is no secret {version}"
    else:
        problem = f"{version} holds no token"
    if not (text and text.isascii() and text.isprintable()):
        raise SourceError(
            f"{problem}: create it with `gcloud secrets create {secret} --project={project} --data-file=` and a file "
            "with Kaggle's token (`versions add` instead of `create` if the secret exists), or set "
            "CHICAGO_CRIME_KAGGLE_SECRET to another"
        )
    return SecretStr(text)
