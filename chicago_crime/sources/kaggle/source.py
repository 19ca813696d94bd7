"""The source `kaggle`: the yearly files of the dataset `salikhussaini49/chicago-crimes`, each downloaded by itself.

Here belongs what is Kaggle's: its listing, its downloads, what its refusals mean. Who signs in is found in
`kaggle_login.py`; waiting and going on after a break is in `http.py`. The client is `kagglesdk`, Kaggle's own, on
which its command `kaggle` rests. That command's package is not imported: it would sign in over the network, print,
make folders and may exit, and it neither sets a time limit nor lets its caller go on with a download.
"""

from __future__ import annotations

import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import requests

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
from chicago_crime.sources.http import USER_AGENT, HttpError, Patience, download, limit_time, patiently
from chicago_crime.sources.kaggle.login import HOW_TO_GET_ONE, Credentials, KaggleLogin

if TYPE_CHECKING:
    from kagglesdk import KaggleClient

OWNER, DATASET = "salikhussaini49", "chicago-crimes"
ADDRESS = f"https://www.kaggle.com/datasets/{OWNER}/{DATASET}"

_FILES_A_PAGE = 100
_T = TypeVar("_T")


@dataclass(frozen=True)
class _Listed:
    """A file of the dataset, as the listing has it; its size in bytes."""

    name: str
    size: int
    created: str

    @property
    def version(self) -> str:
        """What the listing tells of it, which changes when it is replaced."""
        return f"{self.name} {self.size} {self.created}"


@dataclass(frozen=True)
class KaggleSource(CrimeSource):
    """Downloads a year's file. Nothing is asked, nor any credential looked for, before a year or the years are wanted.

    Attributes:
        login: where the credentials are.
        patience: with Kaggle.
    """

    login: KaggleLogin
    patience: Patience = field(default_factory=Patience)
    name = "kaggle"

    def years(self) -> list[int]:
        """See `CrimeSource.years`."""
        with self._session() as kaggle:
            return sorted(kaggle.files())

    def fetch(self, year: int, directory: Path, progress: Progress = no_progress) -> SourceFile:
        """See `CrimeSource.fetch`. What comes must be as long as the listing says."""
        with self._session() as kaggle:
            files = kaggle.files()
            if not files.get(year):
                raise SourceError(
                    f"Kaggle's dataset {OWNER}/{DATASET} has no file for {year}. Years found: "
                    f"{', '.join(map(str, sorted(files))) or 'none'}. Later ones, up to today, come from the City's "
                    "portal: CHICAGO_CRIME_SOURCE=portal"
                )
            if len(files[year]) > 1:
                names = ", ".join(file.name for file in files[year])
                raise SourceError(f"Kaggle's dataset {OWNER}/{DATASET} has several files for {year}: {names}")
            [listed] = files[year]
            path = directory / Path(listed.name).name
            came = kaggle.download(listed.name, path, progress)
        sizes = {came}
        if _is_packed(path):  # Kaggle packs large files, and does not always say so
            path = _unpack(path)
            sizes.add(path.stat().st_size)
        if listed.size not in sizes:
            raise SourceError(
                f"Kaggle lists {listed.name} with {listed.size:,} bytes and sent {path.stat().st_size:,}: it is cut "
                "off, or was just replaced. Try again."
            )
        details: dict[str, str | int | bool] = {
            "file": listed.name,
            "published": listed.created,
            "downloaded": came,
            VERSION: listed.version,
        }
        return SourceFile(path, origin=f"{ADDRESS}, file {listed.name}", details=details)

    def expect(self, years: Sequence[int]) -> dict[int, Expected]:
        """See `CrimeSource.expect`. The listing is asked for, and no file."""
        with self._session() as kaggle:
            files = kaggle.files()
        return {
            year: Expected(" and ".join(file.name for file in files[year]), bytes=files[year][0].size)
            for year in years
            if files.get(year)
        }

    def versions(self) -> dict[int, str]:
        """See `CrimeSource.versions`. The listing is asked for, and no file."""
        with replace(self, patience=replace(self.patience, tries=1))._session() as kaggle:
            files = kaggle.files()
        return {year: ", ".join(file.version for file in files[year]) for year in sorted(files)}

    def try_access(self) -> str:
        """See `CrimeSource.try_access`."""
        with replace(self, patience=replace(self.patience, tries=1))._session() as kaggle:
            kaggle.files()
            return f"Kaggle accepts the token in {kaggle.credentials.found_in}"

    @contextmanager
    def _session(self) -> Iterator[_Session]:
        credentials = self.login.find()
        from kagglesdk import KaggleClient, KaggleEnv

        with KaggleClient(
            KaggleEnv.PROD,
            username=credentials.username,
            password=credentials.key.get_secret_value() if credentials.key else None,
            api_token=credentials.api_token.get_secret_value() if credentials.api_token else None,
            user_agent=USER_AGENT,
        ) as client:
            yield _Session(client, credentials, self.patience)


class _Session:
    """Kaggle's client, signed in, with time limits and retries."""

    def __init__(self, client: KaggleClient, credentials: Credentials, patience: Patience):
        self.credentials = credentials
        self._datasets, self._patience = client.datasets.dataset_api_client, patience
        # The client has no setting for time limits and headers. Its session is the place that its own tools use too.
        self._http = client.http_client()._session
        self._headers = dict(self._http.headers)
        limit_time(self._http, patience)

    def files(self) -> dict[int, list[_Listed]]:
        """The dataset's yearly CSVs, by year."""
        from kagglesdk.datasets.types.dataset_api_service import ApiListDatasetFilesRequest

        request = ApiListDatasetFilesRequest()
        request.owner_slug, request.dataset_slug, request.page_size = OWNER, DATASET, _FILES_A_PAGE
        found: dict[int, list[_Listed]] = {}
        while True:
            page = self._ask(lambda: self._datasets.list_dataset_files(request))
            for file in page.dataset_files or []:
                years = years_in(Path(file.name).name)
                if file.name.lower().endswith((".csv", ".csv.zip")) and len(years) == 1:
                    created = f"{file.creation_date:%Y-%m-%d}" if file.creation_date else ""
                    found.setdefault(years.pop(), []).append(_Listed(file.name, file.total_bytes, created))
            if not page.next_page_token:
                return found
            request.page_token = page.next_page_token

    def download(self, name: str, target: Path, progress: Progress) -> int:
        """Download one file of the dataset and tell how many bytes came."""
        from kagglesdk.datasets.types.dataset_api_service import ApiDownloadDatasetRequest

        request = ApiDownloadDatasetRequest()
        request.owner_slug, request.dataset_slug, request.file_name = OWNER, DATASET, name

        def ask(headers: dict[str, str]) -> requests.Response:
            self._http.headers = self._headers | headers
            return self._datasets.download_dataset(request)  # redirected to storage, by an address that will expire

        return self._translated(lambda: download(ask, target, "Kaggle", self._patience, progress))

    def _ask(self, ask: Callable[[], _T]) -> _T:
        return self._translated(lambda: patiently(ask, "Kaggle", self._patience))

    def _translated(self, ask: Callable[[], _T]) -> _T:
        """Say what Kaggle's refusals mean."""
        try:
            return ask()
        except HttpError as error:
            if error.status in (401, 403):
                raise SourceError(
                    f"{error}: it does not accept the token in {self.credentials.found_in}. If it is old or not "
                    f"whole, {HOW_TO_GET_ONE}"
                ) from None
            if error.status == 404:
                raise SourceError(f"{error}: the dataset {OWNER}/{DATASET} or its file is gone") from None
            raise


def _is_packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _unpack(path: Path) -> Path:
    """Unpack the one CSV of a zip file, whose checksum is verified on the way, and remove the zip file."""
    archive = path.rename(path.with_name("download.zip"))
    target = path.with_suffix("") if path.suffix.lower() == ".zip" else path
    try:
        with zipfile.ZipFile(archive) as packed:
            members = [name for name in packed.namelist() if name.lower().endswith(".csv")]
            if len(members) != 1:
                raise SourceError(f"Kaggle sent {path.name} as a zip file with {len(members)} CSVs, not one")
            with packed.open(members[0]) as stream, target.open("wb") as file:
                shutil.copyfileobj(stream, file, 1 << 20)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise SourceError(f"Kaggle sent {path.name} packed, and the zip file is damaged ({error}): try again") from None
    archive.unlink()
    return target
