"""The source `kaggle`: the yearly files of the dataset `salikhussaini49/chicago-crimes`.

It uses `kagglesdk`, the client on which Kaggle's command-line tool is built, rather than the tool's own package, which
signs in over the network on import, prints, creates folders, may exit, and sets no timeouts. The client reads the token
from `KAGGLE_API_TOKEN` or the tool's configuration files.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import requests
from pydantic import SecretStr
from typing_extensions import override

from chicago_crime.errors import how_to_add
from chicago_crime.sources.base import (
    VERSION,
    CrimeSource,
    Expected,
    Progress,
    SourceError,
    SourceFile,
    no_progress,
    years_in,
)
from chicago_crime.sources.containers import Item, open_item, scan
from chicago_crime.sources.http import PUBLISHER_POLICY, USER_AGENT, HttpError, download, set_timeout, with_retries
from chicago_crime.sources.retry import RetryPolicy

OWNER, DATASET = "salikhussaini49", "chicago-crimes"
ADDRESS = f"https://www.kaggle.com/datasets/{OWNER}/{DATASET}"

HOW_TO_GET_TOKEN = (
    "create one at https://www.kaggle.com/settings (API Tokens), and put it in the environment variable "
    "KAGGLE_API_TOKEN or the file ~/.kaggle/access_token. The source 'portal' needs none: CHICAGO_CRIME_SOURCE=portal"
)

_FILES_PER_PAGE = 100
_T = TypeVar("_T")


class _Listed(NamedTuple):
    """A file in the dataset's listing, with its size in bytes and a version that changes when it is replaced."""

    name: str
    size: int
    version: str


@dataclass(frozen=True)
class KaggleSource(CrimeSource):
    """Downloads the file of a year. Credentials are read, and requests made, only when a method is called.

    Attributes:
        read_token: reads the token from where Kaggle's client would not find it; None to let the client find it.
    """

    read_token: Callable[[], SecretStr] | None = None
    policy: RetryPolicy = PUBLISHER_POLICY
    name = "kaggle"

    @override
    def years(self) -> list[int]:
        with self._session() as kaggle:
            return sorted(kaggle.files())

    @override
    def fetch(self, year: int, directory: Path, progress: Progress = no_progress) -> SourceFile:
        """Download the file, and verify that its size matches the listing."""
        with self._session() as kaggle:
            files = kaggle.files()
            if not files.get(year):
                raise SourceError(
                    f"Kaggle's dataset {OWNER}/{DATASET} has no file for {year}. Years found: "
                    f"{', '.join(map(str, sorted(files))) or 'none'}. The City's portal has later years, too: "
                    "set CHICAGO_CRIME_SOURCE=portal"
                )
            if problem := _expected(year, files[year]).problem:
                raise SourceError(problem)
            [listed] = files[year]
            path = directory / Path(listed.name).name
            downloaded = kaggle.download(listed.name, path, progress)
        path = _unpacked(path)
        if listed.size not in (downloaded, path.stat().st_size):
            raise SourceError(
                f"Kaggle lists {listed.name} with {listed.size:,} bytes, but sent {path.stat().st_size:,}: the "
                "download is incomplete, or the file was just replaced. Try again."
            )
        return SourceFile(path, origin=f"{ADDRESS}, file {listed.name}", details={VERSION: listed.version})

    @override
    def expect(self, years: Sequence[int]) -> dict[int, Expected]:
        """Read only the listing."""
        with self._session() as kaggle:
            files = kaggle.files()
        return {year: _expected(year, files[year]) for year in years if files.get(year)}

    @override
    def check_access(self) -> str:
        replace(self, policy=replace(self.policy, attempts=1)).years()
        return "Kaggle accepts the token"

    @contextmanager
    def _session(self) -> "Iterator[_Session]":
        try:
            from kagglesdk import KaggleClient, KaggleEnv
        except ModuleNotFoundError as error:
            raise SourceError(f"Kaggle requires its client: {how_to_add('kaggle')}") from error
        token = self.read_token().get_secret_value() if self.read_token else None
        with KaggleClient(KaggleEnv.PROD, user_agent=USER_AGENT, api_token=token) as client:
            yield _Session(client, self.policy)


class _Session:
    """Kaggle's client, signed in, with timeouts and retries."""

    def __init__(self, client: Any, policy: RetryPolicy):
        self._datasets, self._policy = client.datasets.dataset_api_client, policy
        # The client has no settings for timeouts and headers; Kaggle's own tools set them on its session, too.
        self._http = client.http_client()._session
        if self._http.auth is None:
            raise SourceError(f"Kaggle requires an API token, and none was found: {HOW_TO_GET_TOKEN}")
        self._http.headers["Accept-Encoding"] = "identity"  # so that sizes match the listing
        set_timeout(self._http, policy)

    def files(self) -> dict[int, list[_Listed]]:
        """List the dataset's yearly CSVs, by year."""
        from kagglesdk.datasets.types.dataset_api_service import ApiListDatasetFilesRequest

        request = ApiListDatasetFilesRequest()
        request.owner_slug, request.dataset_slug, request.page_size = OWNER, DATASET, _FILES_PER_PAGE
        found: dict[int, list[_Listed]] = {}

        def list_page() -> Any:
            return self._datasets.list_dataset_files(request)

        while True:
            page = self._translate_errors(lambda: with_retries(list_page, "Kaggle", self._policy))
            for file in page.dataset_files or []:
                years = years_in(Path(file.name).name)
                if file.name.lower().endswith((".csv", ".csv.zip")) and len(years) == 1:
                    created = f"{file.creation_date:%Y-%m-%d}" if file.creation_date else ""
                    listed = _Listed(file.name, file.total_bytes, f"{file.name} {file.total_bytes} {created}")
                    found.setdefault(years.pop(), []).append(listed)
            if not page.next_page_token:
                return found
            request.page_token = page.next_page_token

    def download(self, name: str, target: Path, progress: Progress) -> int:
        """Download a file of the dataset, and return its size in bytes."""
        from kagglesdk.datasets.types.dataset_api_service import ApiDownloadDatasetRequest

        request = ApiDownloadDatasetRequest()
        request.owner_slug, request.dataset_slug, request.file_name = OWNER, DATASET, name

        def send() -> requests.Response:
            return self._datasets.download_dataset(request)  # redirects to a signed URL that expires

        return self._translate_errors(lambda: download(send, target, "Kaggle", self._policy, progress))

    def _translate_errors(self, call: Callable[[], _T]) -> _T:
        """Add advice to Kaggle's error statuses."""
        try:
            return call()
        except HttpError as error:
            if error.status in (401, 403):
                raise SourceError(
                    f"{error}: the API token was not accepted. If it is expired or incomplete, {HOW_TO_GET_TOKEN}"
                ) from None
            if error.status == 404:
                raise SourceError(f"{error}: the dataset {OWNER}/{DATASET} or the file no longer exists") from None
            raise


def _expected(year: int, files: Sequence[_Listed]) -> Expected:
    """Describe the file of a year; several files are a problem, because their rows may overlap."""
    names = " and ".join(file.name for file in files)
    if len(files) == 1:
        return Expected(names, bytes=files[0].size)
    problem = f"Kaggle's dataset {OWNER}/{DATASET} has several files for {year}: {names}"
    return Expected(names, problem=f"{problem}. Download the right one, and use the source 'folder'")


def _unpacked(path: Path) -> Path:
    """Unpack a download if necessary: Kaggle zips large files, not always under a .zip name."""
    items = scan(path.parent)[0]
    if len(items) > 1:
        raise SourceError(
            f"Kaggle sent {path.name} as a zip file with {len(items)} CSVs instead of one: download it "
            "by hand, and use the source 'folder'"
        )
    if not (member := items[0].member):
        return path
    archive = path.rename(path.with_name("download.zip"))
    target = path.with_suffix("") if path.suffix.lower() == ".zip" else path
    with open_item(Item(archive, member)) as (stream, _), target.open("wb") as file:
        shutil.copyfileobj(stream, file, 1 << 20)
    archive.unlink()
    return target
