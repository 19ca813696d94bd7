"""Tests of `chicago_crime/sources/kaggle.py`: Kaggle's own client against a Kaggle server on loopback."""

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from kagglesdk import KaggleEnv, kaggle_env
from pydantic import SecretStr

from chicago_crime.sources.base import Expected, SourceError
from chicago_crime.sources.kaggle import KaggleSource
from chicago_crime.sources.retry import RetryPolicy
from chicago_crime_tests.servers.faults import Fault
from chicago_crime_tests.servers.kaggle_server import KaggleServer

TOKEN = "KGAT_planted0token0of0the0tests"
QUICK = RetryPolicy(attempts=4, first_wait_s=0.01, timeout_s=5)
IMPATIENT = RetryPolicy(attempts=2, first_wait_s=0.01, timeout_s=0.3)


@pytest.fixture
def kaggle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KaggleServer]:
    """A Kaggle server with the years 2001 to 2022, which the client uses in place of the real one."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    files = {f"Chicago_Crimes_{year}.csv": b"%d\n" % year * 100_000 for year in range(2001, 2023)}
    others = {"Chicago_Crimes_2001_to_2004.csv": b"several years", "notes_2014.txt": b"no CSV", "readme.csv": b"none"}
    with KaggleServer(files | others, TOKEN).answering() as server:
        monkeypatch.setitem(kaggle_env._env_to_endpoint, KaggleEnv.PROD, server.url)
        yield server


def source(policy: RetryPolicy = QUICK) -> KaggleSource:
    return KaggleSource(lambda: SecretStr(TOKEN), policy)


def content_of(kaggle: KaggleServer) -> bytes:
    return kaggle.files["Chicago_Crimes_2014.csv"]


def test_years_and_the_plan_come_from_all_pages_of_the_listing(kaggle: KaggleServer) -> None:
    assert source().years() == list(range(2001, 2023))
    assert len(kaggle.requests) == 2
    found = source().expect([2014, 2023])
    assert found == {2014: Expected("Chicago_Crimes_2014.csv", bytes=len(content_of(kaggle)))}
    assert kaggle.storage.requests == []


def test_only_the_file_of_the_year_is_downloaded(kaggle: KaggleServer, tmp_path: Path) -> None:
    progress: list[tuple[int, int | None]] = []
    file = source().fetch(2014, tmp_path, lambda done, total: progress.append((done, total)))
    assert file.path == tmp_path / "Chicago_Crimes_2014.csv"
    assert file.path.read_bytes() == content_of(kaggle)
    assert progress[-1] == (len(content_of(kaggle)),) * 2
    assert [done for done, _ in progress] == sorted(done for done, _ in progress)
    assert "salikhussaini49/chicago-crimes, file Chicago_Crimes_2014.csv" in file.origin
    assert str(file.details["version"]).endswith(" 2023-07-08")
    [request] = kaggle.storage.requests
    assert request.path == "/kaggle-data-sets/Chicago_Crimes_2014.csv"
    assert "Authorization" not in request.headers


@pytest.mark.parametrize("at", ["api", "storage"])
def test_requests_have_a_timeout(kaggle: KaggleServer, tmp_path: Path, at: str) -> None:
    (kaggle if at == "api" else kaggle.storage).will(Fault(wait_s=60), times=2)
    with pytest.raises(SourceError, match=r"Kaggle did not respond within 0\.3 s"):
        source(IMPATIENT).fetch(2014, tmp_path)


def test_a_file_with_an_unlisted_size_is_an_error(kaggle: KaggleServer, tmp_path: Path) -> None:
    kaggle.listed_sizes["Chicago_Crimes_2014.csv"] = len(content_of(kaggle)) + 1
    with pytest.raises(SourceError, match=r"Kaggle lists Chicago_Crimes_2014\.csv with [\d,]+ bytes, but sent [\d,]+:"):
        source().fetch(2014, tmp_path)


def test_a_zipped_file_is_unzipped(kaggle: KaggleServer, tmp_path: Path) -> None:
    kaggle.storage.packs = True
    kaggle.files["Chicago_Crimes_2014.csv"] = random.Random(1).randbytes(200_000)  # incompressible
    kaggle.storage.will(Fault(cut_after=100_000))
    file = source().fetch(2014, tmp_path)
    assert file.path.name == "Chicago_Crimes_2014.csv"
    assert file.path.read_bytes() == content_of(kaggle)
    assert list(tmp_path.iterdir()) == [file.path]
    assert [one.status for one in kaggle.storage.requests] == [200, 200]


def test_errors_without_a_token_or_for_a_missing_year_name_the_portal(kaggle: KaggleServer, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none was found: .*kaggle\.com/settings.*CHICAGO_CRIME_SOURCE=portal"):
        KaggleSource().fetch(2014, tmp_path)
    assert kaggle.requests == []
    with pytest.raises(SourceError, match=r"no file for 2024\. Years found: 2001, .*2022\. .*_SOURCE=portal"):
        source().fetch(2024, tmp_path)


def test_the_access_check_is_not_retried(kaggle: KaggleServer) -> None:
    assert source().check_access() == "Kaggle accepts the token"
    before = len(kaggle.requests)
    messages = {503: "503", 401: "token was not accepted", 404: "dataset salikhussaini49/chicago-crimes or the"}
    for status, message in messages.items():
        kaggle.will(Fault(status=status))
        with pytest.raises(SourceError, match=message):
            source().check_access()
    assert len(kaggle.requests) == before + 3


def test_several_files_for_a_year_are_an_error_in_plan_and_fetch(kaggle: KaggleServer, tmp_path: Path) -> None:
    kaggle.files["2014_again.csv"] = b"ID\n"
    problem = source().expect([2014])[2014].problem
    assert "has several files for 2014: 2014_again.csv and Chicago_Crimes_2014.csv" in problem
    with pytest.raises(SourceError, match=re.escape(problem)):
        source().fetch(2014, tmp_path)
