"""Tests of `chicago_crime/sources/folder.py`: files of all formats go through the source and the gate, as in a run."""

import bz2
import csv
import gzip
import json
import lzma
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chicago_crime.errors import PlatformError
from chicago_crime.intake.csv_rows import describe_line
from chicago_crime.intake.gate import run_gate
from chicago_crime.intake.source_files import Manifest, SourceFiles
from chicago_crime.intake.staging import staging_folder
from chicago_crime.sources.base import SourceError, no_progress
from chicago_crime.sources.folder import FolderSource
from chicago_crime_tests.sources.forms import FIRST, FORMS, MANY, PLAIN, ROWS, SECOND, as_json, text_of, wrapped, zipped
from chicago_crime_tests.support import NAMES, crime, crimes_of_months, gate_of, refuse


def put(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    return put(tmp_path / "downloads", {})


def load(tmp_path: Path, folder: Path, *years: int) -> dict[int, Manifest | str]:
    """Fetch years as a run does; return the manifest or the error of each."""
    files, source = SourceFiles(tmp_path / "csv", tmp_path / "staging"), FolderSource(folder)
    found: dict[int, Manifest | str] = {}
    with staging_folder(files.staging) as prepared_in:
        prepared = source.prepare(years, prepared_in)
        for year in years:
            try:
                found[year] = files.fetch(prepared, year, no_progress, refuse)
            except PlatformError as error:
                found[year] = str(error)
    assert list(files.staging.iterdir()) == []
    return found


def manifest_of(tmp_path: Path, folder: Path, year: int = 2016) -> Manifest:
    manifest = load(tmp_path, folder, year)[year]
    assert isinstance(manifest, Manifest), manifest
    return manifest


def rows_of(tmp_path: Path, year: int = 2016) -> list[dict[str, str]]:
    """Read the rows of a fetched year as written to the lake."""
    result = gate_of(SourceFiles(tmp_path / "csv", tmp_path).csv(year), year, tmp_path)
    with result.split.file.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, fieldnames=NAMES))[1:]


@pytest.mark.parametrize("form", FORMS)
def test_every_format_gives_the_same_rows(tmp_path: Path, form: str) -> None:
    folder = put(tmp_path / "downloads", FORMS[form])
    manifest = manifest_of(tmp_path, folder)
    expected = [row | ({"location": "x"} if "JSON" in form else {}) for row in ROWS]
    found = [row | ({"location": "x"} if "JSON" in form else {}) for row in rows_of(tmp_path)]
    assert sorted(found, key=lambda row: int(row["id"])) == expected
    assert (manifest.rows, manifest.lines, manifest.quarantined) == (24, 24, 0)
    assert str(folder) in manifest.origin
    [(year, planned)] = FolderSource(folder).expect([2016]).items()
    assert (year, planned.problem) == (2016, "")
    assert max(text.count(str(folder)) for text in (manifest.origin, planned.description)) <= 5
    assert 2016 in FolderSource(folder).years()


WRITERS: dict[str, Callable[[list[dict[str, str]]], dict[str, bytes]]] = {
    "JSON": lambda rows: {"2016.csv": json.dumps(as_json(rows), indent=1).encode()},
    "JSON lines": lambda rows: {"2016.jsonl": "\n".join(map(json.dumps, as_json(rows))).encode()},
    "fully quoted lines": lambda rows: {"2016.csv": wrapped(text_of(rows), header=True)},
    "semicolons": lambda rows: {"2016.csv": text_of(rows, delimiter=";").encode("utf-8-sig")},
    "tabs": lambda rows: {"2016.csv": text_of(rows, delimiter="\t", line_end="\r\n").encode("utf-16")},
    "pipes": lambda rows: {
        "2016.gz": gzip.compress(text_of(rows, delimiter="|", line_end="\r", quoting=csv.QUOTE_ALL).encode())
    },
    "reversed": lambda rows: {"2016.csv": text_of([dict(reversed(row.items())) for row in rows], NAMES[::-1]).encode()},
}


@pytest.mark.parametrize("writer", WRITERS)
@settings(max_examples=5, deadline=None)
@example(texts=[" ", ", "])
@example(texts=[" ", "\n, "])
@given(texts=st.lists(st.text('ab ,;|\t"\n\\{}[]:é', max_size=8), min_size=2, max_size=8))
def test_any_text_is_preserved(tmp_path_factory: pytest.TempPathFactory, writer: str, texts: list[str]) -> None:
    folder = tmp_path_factory.mktemp("form")
    if "quoted" in writer:  # rows cannot have several lines
        texts = [text.replace("\n", "") for text in texts]
    rows = [ROWS[number] | {"location_description": text} for number, text in enumerate(texts)]
    manifest = manifest_of(folder, put(folder / "downloads", WRITERS[writer](rows)))
    found = {row["id"]: row["location_description"] for row in rows_of(folder)}
    assert found == {row["id"]: row["location_description"] for row in rows}, writer
    assert (manifest.rows, manifest.quarantined) == (len(rows), 0)


@pytest.mark.parametrize("damage", ['{"id": "31000000", "case_num', "null"])
def test_a_damaged_json_line_does_not_affect_other_lines(tmp_path: Path, damage: str) -> None:
    """Numbers, flags, texts with quotes, and objects have the same values as in an undamaged file."""
    half = '{"id": "\\ud800"}'
    values = [row | {"arrest": True, "block": "A\nB", "latitude": 41.8, "location": [1.5, "é"]} for row in as_json()]
    lines = [json.dumps(row) for row in [*values, {"id": None, "block": '"\n'}]]
    loaded = []
    for name, content in (("undamaged", lines), ("damaged", [*lines[:5], "", damage, '["A", 1]\r', half, *lines[5:]])):
        folder = put(tmp_path / name, {"2016.jsonl": "\n".join(content).encode()})
        manifest = manifest_of(tmp_path / name, folder)
        loaded.append((manifest.rows, manifest.unreadable, rows_of(tmp_path / name)))
    assert loaded[0] == loaded[1]
    assert manifest.quarantined == 4
    fetched = FolderSource(folder).fetch(2016, tmp_path)
    result = run_gate(fetched, 2016, tmp_path)
    with result.split.quarantine.open(newline="") as file:
        found = [describe_line(one) for one in csv.DictReader(file)]
    texts = (damage, '"A"', "1", half)
    assert found == [f"record {n} (not a JSON object): {text!r}" for n, text in enumerate(texts, 6)]


def test_the_manifest_lists_columns_conversions_and_repeated_headers(tmp_path: Path) -> None:
    others = text_of([row | {"zip": "?"} for row in ROWS[12:]], [*NAMES, "Zip Code"]).replace("ward", "Wards")
    files = {
        "2016.csv": f"Exported by hand\n{others}{others.splitlines()[0]}".encode(),
        "2016-02.csv": PLAIN.replace(b"\xc3", b"") + PLAIN.splitlines()[0],
    }
    manifest = manifest_of(tmp_path, put(tmp_path / "in", files | {"all.csv": text_of(MANY).encode("cp1252")}))
    assert (manifest.rows, manifest.quarantined) == (12 + 24 + 24, 2)
    assert manifest.ignored == ["Wards (in some files)", "Zip Code (in some files)"]
    assert manifest.missing == ["ward (in some files)"]
    assert {row["ward"] for row in rows_of(tmp_path)} == {"", "42"}
    assert manifest.details["lines_before_header"] == 1
    assert manifest.details["windows_1252_letters"] == 2


def flagged(content: bytes, encrypted: bool = False, method: int = 8) -> bytes:
    """Patch the headers of a zip file: its member is encrypted, or uses another compression method."""
    changed = bytearray(content)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = changed.index(signature) + offset
        changed[at] |= encrypted
        changed[at + 2 : at + 4] = method.to_bytes(2, "little")
    return bytes(changed)


def flipped(content: bytes) -> bytes:
    return content[: len(content) // 2] + bytes([content[len(content) // 2] ^ 4]) + content[len(content) // 2 + 1 :]


LARGE = text_of(crimes_of_months(2016, per_month=90)).encode()
ZIP = zipped({"crimes_2016.csv": LARGE})
SWAPPED = PLAIN.replace(b"Arrest,Domestic", b"Domestic,Arrest")
ALIGNED = text_of(header=NAMES, delimiter=" ", quoting=csv.QUOTE_ALL).replace('" "HX', '"  "HX')
YEAR_FIRST = [
    row | {"date": f"{year - 2000}-Jan-{row['date'][3:5]} 10:15"}
    for year in (2015, 2016)
    for row in crimes_of_months(year, per_month=28)
]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("2016.csv", b"", "is empty: download it again"),
        ("2016.csv", b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n", "git lfs pull"),
        ("2016.zip", zipped({"a.csv": b"version https://git-lfs.github.com/spec/v1\n"}), ":a.csv is a Git LFS pointer"),
        ("2016.csv", b"/annex/objects/SHA256E-s9--1.csv\n", "is a git-annex pointer: run `git annex get` in its"),
        ("2016.csv", b"\n<!doctype html><title>503</title>", "is an HTML or XML page"),
        ("2016.csv", b'{"error": true, "message": "Not found"}', r"a server's error message \('Not found'\): "),
        ("2016.csv", b'[{"id": 1}, {"id": 2', "is truncated: its JSON array has no end"),
        ("all.json", json.dumps(as_json())[:-1].encode() + b",\n", "is truncated: its JSON array has no end"),
        ("2016.json", b'[{"id": 1}, {"id"' + b" " * 3_000_000, "is JSON, but without one object per crime: download"),
        ("all.csv", PLAIN + SWAPPED, "line 26 is a header with the columns in a different order. Split the file"),
        ("2016.csv", PLAIN + SWAPPED, "line 26 is a header with the columns in a different order. Split the file"),
        ("2016.csv", ALIGNED.encode(), "24 of 24 lines cannot be read as rows"),
        ("all.csv", text_of(YEAR_FIRST).encode(), "contradicts the column year in 36 of 48 rows; the first is '15-"),
        ("all.csv", text_of([row | {"year": ""} for row in YEAR_FIRST]).encode(), "48 of 672 lines of /"),
        ("2016.json", b'{"ID": {"0": 1, "1": 2}, "Date": {}}', r"one object per crime: .* \(keys found: ID, Date"),
        ("2016.csv", b"[1, 2]", "one object per crime: download it as .csv"),
        ("2016.json", b'{"ID": {\n' + b'"0": 1,\n' * 9**6 + b'"1": 2}}', "one object per crime: download it as .csv"),
        ("all/Year=2016/District=1/0.csv", PLAIN.replace(b"District", b"A"), "has values of District only in the"),
        ("2016.json", b'[{"ID": 1, "id": 2}]', r"several keys for one column \('ID' and 'id'\)"),
        ("2016.csv", PLAIN.partition(b"\n")[2], r"line 1: no header, only values \(\d+, HX\d+, .*\): add a line"),
        ("2016.csv", b"a,b\n1,2\n", r"line 1: the header lacks id, date, primary_type, arrest, fbi_code \(found: a, b"),
        ("2016.csv", text_of(header=["_id", *NAMES[1:]]).encode(), r"lacks id \(found: _id, "),
        ("2016.csv", text_of(ROWS, ["crime_id", "Unique Key", *NAMES[2:]]).encode(), "'crime_id' and 'Unique Key'"),
        ("2016.csv", bytes(range(1, 99)), "is a binary file, not a CSV"),
        ("2016.csv", PLAIN.partition(b"\n")[0] + b"\n", "has a header but no rows"),
        ("2016.csv", b"PAR1" + LARGE, "unpack it, or export it as CSV"),
        ("2016.zip", b"7z\xbc\xaf\x27\x1c", "unpack it, or export it as CSV"),
        ("2016.zip", zipped({"read.me": b"", "2016.pdf": b""}), "unpack it, or export it as CSV"),
        ("2016.zip", zipped({"inner.csv": ZIP}), r":inner\.csv is an archive, .*unpack it, or export it as CSV"),
        ("2016.zip.gz", gzip.compress(ZIP), r"2016\.zip\.gz is an archive, .* unpack it"),
        ("2016.zip", flagged(ZIP, encrypted=True), r":crimes_2016\.csv is password-protected: unpack it first"),
        ("all.zip", flagged(ZIP, encrypted=True), r":crimes_2016\.csv is password-protected: unpack it first"),
        ("2016.zip", flagged(ZIP, method=9), r":crimes_2016\.csv is compressed with an unsupported method"),
        ("2016.zip", ZIP[: len(ZIP) // 5], r"is damaged or truncated \(its end is missing\)"),
        ("2016.zip", flipped(ZIP), "is damaged or truncated"),
        ("2016.csv.gz", gzip.compress(LARGE)[:-9], "is damaged or truncated"),
        ("2016.csv.bz2", bz2.compress(LARGE)[:-9], "is damaged or truncated"),
        ("2016.csv.xz", flipped(lzma.compress(LARGE)), "is damaged or truncated"),
        ("2001_to_2020.csv.gz", gzip.compress(LARGE)[:-9], "is damaged or truncated"),
        ("2016.csv", PLAIN + b'1,"x\n' * 60, r"60 of 84 lines .* line 26 \(misplaced quote"),
        ("2016.csv", PLAIN + b"1,x\\,y\n" * 60, r"60 of 84 lines .* again, with double quotes around values that"),
        ("2016.csv", PLAIN.replace(b",", b"\x1f").replace(b"\n", b"\x1e"), "is a binary file, not a CSV"),
        ("2016.csv", text_of(MANY).encode(), r"only 24 of 96 rows are from 2016; .* 2015-2017\. .* remove the year"),
        ("all.csv", PLAIN + b"x,y\n" * 5, r"5 of 29 lines of /.* have no year .* is .*line 26: 'x,y'"),
        ("all.csv", PLAIN + b",,1/1/2015%b\n" % (b"," * 19) * 1_048_551, "1,048,576 lines, all that a spreadsheet"),
        ("2001_to_2020.csv", PLAIN + b"1,2,01/01/2016\n" * 60, r"60 of 84 lines .* is line 26 \(3 fields"),
    ],
)  # fmt: skip
def test_unreadable_files_are_refused(tmp_path: Path, downloads: Path, name: str, content: bytes, message: str) -> None:
    put(downloads, {name: content})
    refused = load(tmp_path, downloads, 2016)[2016]
    assert isinstance(refused, str)
    assert str(downloads / name) in refused
    assert str(tmp_path / "staging") not in refused
    assert refused.isprintable()
    with pytest.raises(SourceError, match=message):
        raise SourceError(refused)


@pytest.mark.parametrize("name", ["2016.csv", "all.csv", "2016.jsonl"])
def test_a_truncated_file_is_refused(tmp_path: Path, downloads: Path, name: str) -> None:
    """Wherever it is truncated, unless a complete row is left; the last row has three lines."""
    last = "record 25" if "json" in name else "line 28"
    rows = [*ROWS, crime(id=9, date="2016-02-01", location="\n,\n(41.9, -87.6)")]
    text = "\n".join(map(json.dumps, rows)) if "json" in name else text_of(rows).removesuffix("\n")
    at, size = len("\n".join(text.split("\n")[: 24 + ("csv" in name)])), len(text)
    for end in (at, at + 1, at + 2, at + 9, at + 99, size - 15, size - 9, size, size - 1):
        put(downloads, {name: text[:end].encode()})
        found = load(tmp_path, downloads, 2016)[2016]
        assert isinstance(found, Manifest) == (end in (at, at + 1, size)), end
    assert re.search(rf"the last line of \S+/{name}, {last}, is incomplete \('.*'\)\. If the file was", str(found))


def test_all_truncated_files_of_a_year_are_reported(tmp_path: Path, downloads: Path) -> None:
    put(downloads, {"2016-01.csv": FIRST[:-9], "2016-02.csv": SECOND[:-9]})
    message = str(load(tmp_path, downloads, 2016)[2016])
    assert all(f"the last line of {downloads}/2016-0{month}.csv, line 13, is" in message for month in (1, 2))


def test_a_plan_reports_the_errors_of_the_run(tmp_path: Path, downloads: Path) -> None:
    """Each affects only its own years."""
    good = text_of(crimes_of_months(2013)).encode()
    put(downloads, {"2013.csv": good, "2014.csv.gz": b"\x1f\x8b damaged", "2015_to_2016.csv": b""})
    (downloads / "2017.csv").symlink_to(tmp_path / "nowhere")
    (downloads / "2018.csv").symlink_to("../.git/annex/objects/aa/bb/SHA256E-s9--1.csv")
    (downloads / "2001_to_2004.csv").symlink_to(tmp_path / "nowhere")
    years = (2003, 2014, 2015, 2016, 2017, 2018)
    refused = load(tmp_path, downloads, 2013, *years)
    assert isinstance(refused.pop(2013), Manifest)
    assert {year: one.problem for year, one in FolderSource(downloads).expect(years).items()} == refused
    assert "a broken symbolic link: restore" in str(refused[2017])
    assert "a broken symbolic link: run `git annex get`" in str(refused[2018])
    assert FolderSource(downloads).years() == [2013, 2014, 2017, 2018]


def test_the_error_for_a_missing_year_lists_years_and_files(tmp_path: Path, downloads: Path) -> None:
    named = {"2014.csv": PLAIN, "2013-2015.csv": text_of(MANY).encode()}
    others = {"all.csv": PLAIN + b"x,y", "crimes.csv": b"area", "crimes_2018.parquet": b"", "crimes_2018.csv/a": b""}
    put(downloads, named | others)
    refused = load(tmp_path, downloads, 2018)[2018]
    assert refused.startswith(f"{downloads}: no rows for 2018. Years found: 2014-2016. Lines without a year")
    assert f": 1, such as {downloads}/all.csv, line 26: 'x,y'. Not searched because of other years" in refused
    assert ": 2013-2015.csv; 2014.csv. Skipped: " in refused
    assert "/crimes.csv, line 1: the header lacks id, " in refused
    assert "; crimes_2018.csv is a folder: move its files up, and give each a unique name" in refused
    assert "; crimes_2018.parquet is not a supported format: unpack it, or save its crimes as .csv." in refused
    assert FolderSource(downloads).expect([2018])[2018].problem == refused


@pytest.mark.parametrize("name", ["2016.csv", "2001_to_2020.csv"])
def test_a_file_that_is_still_being_written_is_refused(tmp_path: Path, downloads: Path, name: str) -> None:
    file = put(downloads, {name: PLAIN}) / name

    def write_on(done: int, total: int | None) -> None:
        with file.open("ab") as stream:
            stream.write(b"1,")

    with pytest.raises(SourceError, match=f"{name} changed while it was being read"):
        FolderSource(downloads).fetch(2016, tmp_path, write_on)


def test_every_line_of_a_file_of_many_years_is_accounted_for(tmp_path: Path, downloads: Path) -> None:
    lines = text_of(MANY, line_end="\r\n").encode().splitlines(keepends=True)  # 24 of 2016, 36 of each other year
    three_lines = text_of([crime(id=1, date="2016-02-01T00:00:00", location="\n,\n(41.9, -87.6)")]).encode()
    added = [
        b"\r\n",
        b"1,HX1,03/01/2016 01:00:00 PM,too short\r\n",
        b'1,HX2,03/01/2016 01:00:00 PM,"open\r\n',
        b"total,,,\x1b[31mred,,,\r\n",
        *three_lines.splitlines(keepends=True)[1:],
        b",,,,,,,,,,,,,,,,,,,,,\r\n",
    ]
    name = "Crimes_-_2001_to_Present.csv"
    content = b"About this file\n" + b"".join(lines[:50] + added + lines[50:])
    put(downloads, {name: content.removesuffix(b"\r\n") + b"\x1a"})  # as `copy a+b` of Windows ends a text
    found = load(tmp_path, downloads, 2015, 2016, 2018)
    assert "no rows for 2018" in str(found[2018])
    year = found[2016]
    assert isinstance(year, Manifest)
    assert (year.rows, year.quarantined, year.other_lines, year.lines) == (25, 2, 2, 29)
    assert {key: value for key, value in year.details.items() if "line" in key or "first" in key} == {
        "lines_before_header": 1,
        "lines_of_all_years": 96 + 8,
        "lines_of_other_years": 72,
        "lines_without_year": 1,
        "blank_lines_and_headers": 2,
        "first_without_year": f"{downloads / name}, line 55: 'total,,,\\x1b[31mred,,,'",
    }
    assert isinstance(found[2015], Manifest)
    assert found[2015].details["lines_of_other_years"] == 24 + 5 + 36
    assert rows_of(tmp_path, 2015) == crimes_of_months(2015)

    fetched = FolderSource(downloads).fetch(2016, tmp_path)
    of_file = content.replace(b"\r\n", b"\n").splitlines()
    for number, line in enumerate(fetched.path.read_bytes().splitlines()[1:], 2):
        assert of_file[fetched.place(number).number - 1] == line


@pytest.mark.parametrize("name", ["b.csv", "b.zip", "b.json"])
def test_a_file_without_years_is_refused_beside_others(tmp_path: Path, downloads: Path, name: str) -> None:
    """Its rows may be of any year."""
    rows = [row | {"date": "20160305143015", "year": ""} for row in ROWS[12:]]
    content = json.dumps(as_json(rows)).encode() if "json" in name else text_of(rows).encode()
    put(downloads, {"a.csv": FIRST, name: zipped({"b.csv": content}) if "zip" in name else content})
    first = f"{downloads / name}{':b.csv' * ('zip' in name)}, {'record 1' if 'json' in name else 'line 2'}: '"
    refused = f"12 of 12 lines of {first.partition(', ')[0]} have no year in their date; the first is {first}"
    assert refused in str(load(tmp_path, downloads, 2016))
    expected = FolderSource(downloads).expect([2016])[2016]
    assert expected.skipped.startswith(f"lines without a year: 12, such as {first}")
    assert expected.refusals[0].startswith(refused)


def test_the_years_of_a_run_are_read_in_one_pass(tmp_path: Path, downloads: Path) -> None:
    put(downloads, {"crimes.csv.gz": gzip.compress(text_of(MANY).encode())})
    steps: list[int] = []
    prepared = FolderSource(downloads).prepare([2015, 2016], tmp_path / "split", lambda done, _: steps.append(done))
    assert steps[-1] == len(text_of(MANY).encode().partition(b"\n")[2])
    steps.clear()
    for year, rows in ((2015, 36), (2016, 24)):
        file = prepared.fetch(year, tmp_path, lambda done, _: steps.append(done)).path
        assert len(file.read_text().splitlines()) == 1 + rows
    assert steps == []


def test_a_version_changes_with_any_file_of_the_year(downloads: Path) -> None:
    alike = {"2014.csv": PLAIN, "2014.zip": zipped({"a.csv": PLAIN})}
    put(downloads, {"2001_to_2017.csv": text_of(MANY).encode(), "2016-12.csv": SECOND, **alike})
    source = FolderSource(downloads)
    assert source.versions() == {}  # they were changed just now
    for age, file in enumerate(sorted(downloads.iterdir()), 1):
        os.utime(file, (file.stat().st_mtime - age * 1000,) * 2)
    before = source.versions()
    assert sorted(before) == [2014, 2015, 2016, 2017]
    assert {year: source.fetch(year, downloads.parent / str(year)).details["version"] for year in before} == before
    os.utime(downloads / "2016-12.csv", (1, 1))
    assert [year for year, version in source.versions().items() if version != before[year]] == [2016]


def test_skipped_files_are_listed_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    march = zipped({"../march.csv": SECOND, "april.txt": SECOND})
    put(tmp_path / "in", {"january.csv": FIRST, "february.csv": SECOND.partition(b"\n")[2], "march.zip": march})
    (tmp_path / "in" / "older").mkdir()
    (tmp_path / "in" / "linked.csv").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "in" / "pipe_2016.csv")
    iterdir = Path.iterdir

    def listed(folder: Path) -> Iterator[Path]:
        if folder.name == "older":  # like lost+found, which only root may list
            raise PermissionError
        return iterdir(folder)

    monkeypatch.setattr(Path, "iterdir", listed)
    source = FolderSource(tmp_path / "in")
    planned = source.expect([2016])[2016]
    skipped = planned.skipped.split("; ")
    assert f"{tmp_path}/in/february.csv, line 1: " in skipped[0]
    assert f"{tmp_path}/in/linked.csv is a broken symbolic link: restore its target" in skipped
    named = ("march.zip:april.txt is not a supported", "older is a folder: ", "pipe_2016.csv is not a supported")
    assert [text[: len(start)] for text, start in zip(skipped[-3:], named, strict=True)] == [*named]
    assert source.fetch(2016, tmp_path).details["skipped_files"] == planned.skipped
    assert f"{tmp_path}/in/linked.csv is a broken" in source.expect([2015])[2015].problem
