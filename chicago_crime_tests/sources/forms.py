"""A year in every supported file format; each gives the same rows."""

import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Sequence

from chicago_crime_tests.support import NAMES, crimes_of_months

ROWS = crimes_of_months(2016, per_month=2)
ROWS[1]["location_description"] = 'CTA "L" PLATFORM'
ROWS[2]["location_description"] = "HOTEL, MOTEL"
ROWS[3]["block"] = "0000X CAFÉ ST"
ROWS[4] |= {"latitude": "", "longitude": "", "location": ""}
SPELLED = [name.replace("_", " ").title() for name in NAMES]
OTHER_NAMES = {
    **{"id": "unique_key", "case_number": "CASE#", "date": "DATE OF OCCURRENCE", "iucr": "IUCR_CODE"},
    **{"primary_type": "PRIMARY DESCRIPTION", "community_area": "COMMUNITY_AREA_NUMBER", "fbi_code": "FBI_CD"},
    **{"latitude": "lat", "longitude": "LNG"},
}
Rows = list[dict[str, str]]


def text_of(rows: Rows = ROWS, header: Sequence[str] = SPELLED, line_end: str = "\n", **options: object) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=line_end, **options)  # type: ignore[arg-type]
    writer.writerow(header)
    writer.writerows(row.values() for row in rows)
    return text.getvalue()


PLAIN = text_of().encode()
BOM = b"\xef\xbb\xbf"


def zipped(members: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return content.getvalue()


def wrapped(text: str, header: bool) -> bytes:
    first, *lines = text.splitlines()
    quoted = ['"' + line.replace('"', '""') + '"' for line in [first, *lines]]
    return "\n".join([quoted[0] if header else first, *quoted[1:]]).encode()


def spaced(text: str, separator: str = ",") -> bytes:
    """Add blanks after separators outside quotes."""
    parts = text.split('"')
    parts[::2] = [part.replace(separator, f"{separator} ") for part in parts[::2]]
    return '"'.join(parts).encode()


def as_json(rows: Rows = ROWS) -> list[dict[str, object]]:
    """Format rows like the City's API, which omits empty values and writes the location as an object."""
    return [{k: {"latitude": v} if k == "location" else v for k, v in row.items() if v} for row in rows]


def halves(**options: object) -> tuple[bytes, bytes]:
    return text_of(ROWS[:12], **options).encode(), text_of(ROWS[12:], **options).encode()


FIRST, SECOND = halves()
JSON_LINES = [json.dumps(row) for row in as_json()]
PATHS = [{"": 1, "$type": "a~b"} | {f"/{name}": value for name, value in row.items()} for row in as_json()]
OTHER_COLUMNS = [dict(sorted(row.items()), extra="?") for row in ROWS[12:]]
MANY = [*crimes_of_months(2015), *ROWS[:12], *crimes_of_months(2017), *ROWS[12:]]

FORMS: dict[str, dict[str, bytes]] = {
    "upper case suffix, date of the download": {"crimes-2016.CSV": PLAIN, "notes_2016.txt": b"not a CSV"},
    "bzip2": {"2016.csv.bz2": bz2.compress(PLAIN)},
    "xz": {"2016.csv.xz": lzma.compress(PLAIN)},
    "gzip twice": {"2016.csv.gz": gzip.compress(gzip.compress(PLAIN))},
    "gzip named csv": {"2016.csv": gzip.compress(PLAIN)},
    "plain with two byte order marks named gz": {"2016.csv.gz": BOM + BOM + PLAIN},
    "zip named csv": {"2016.csv": zipped({"crimes.csv": PLAIN})},
    "zip with the year in the member's name": {"all-2001-to-2022.zip": zipped({"data/Crimes_2016.csv": PLAIN})},
    "zip with a gzip": {"2016.zip": zipped({"2016.csv.gz": gzip.compress(PLAIN)})},
    "zip with a member of another suffix": {"2016.zip": zipped({"crimes": PLAIN})},
    **{f"zip with {name}": {"2016.zip": zipped({name: PLAIN})} for name in ("rows.csv", "quarantine.csv")},
    "zip of two members": {"2016.zip": zipped({"01.csv": FIRST, "02.csv": SECOND})},
    "zip with a name twice": {"2016.zip": zipped({"01.csv": FIRST, "02.csv": SECOND}).replace(b"02.csv", b"01.csv")},
    "zip from a Mac": {"2016.zip": zipped({"2016.csv": PLAIN, "__MACOSX/._2016.csv": b"Mac", ".DS_Store": b"x"})},
    "hidden files": {"2016.csv": PLAIN, "._2016.csv": b"\0Mac OS X", ".2016.csv.swp": b"x", "_2016.csv": b"x"},
    "Spark's parts, gzip, one empty": {
        **{"crimes_2016/part-00000-2004-c000.csv.gz": gzip.compress(FIRST), "crimes_2016/part-00001.csv": b""},
        **{"crimes_2016/part-00002.csv.gz": gzip.compress(SECOND), "crimes_2016/.part-00000.crc": b"crc"},
    },
    "Hive partitions": {
        **{f"crimes/year={year}/part-0.csv": text_of(crimes_of_months(year)).encode() for year in (2015, 2017)},
        **{"crimes/year=2016/ward=1/data_0.csv": FIRST, "crimes/year=2016/ward=2/data_0.csv": SECOND},
        **{"crimes/year=2016/_temporary/part-0.csv": b"x", "crimes/_SUCCESS": b""},
    },
    "tabs without quotes": {"2016.tsv": text_of(delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None).encode()},
    "carets": {"2016.csv": text_of(delimiter="^").encode()},
    "blanks between quotes": {"2016.csv": text_of(delimiter=" ", quoting=csv.QUOTE_NONNUMERIC).encode()},
    "names in brackets": {"2016.csv": text_of(header=[f"[{name}]" for name in SPELLED]).encode()},
    "names of Hive": {"2016.csv": text_of(header=[f"db.crimes.{name}" for name in NAMES]).encode()},
    "names of R": {"2016.csv": text_of(header=[name.replace(" ", ".") for name in SPELLED]).encode()},
    "names of other programs": {"2016.csv": text_of(header=[OTHER_NAMES.get(name, name) for name in NAMES]).encode()},
    "other names beside the City's own": {
        "2016.csv": text_of([{"a": "7", "b": "x"} | row for row in ROWS], ["_id", "Unique Key", *NAMES]).encode()
    },
    "a sep= line": {"2016.csv": b"sep=;\r\n" + text_of(delimiter=";", line_end="\r\n").encode()},
    "a wrong sep= line": {"2016.csv": b"sep=;\n" + PLAIN},
    "lines before the header": {"2016.csv": b"Crimes of 2016\n\n# exported, by hand\n" + PLAIN},
    "blanks after commas": {"2016.csv": spaced(text_of())},
    "blanks after semicolons, CRLF": {"2016.csv": spaced(text_of(delimiter=";", line_end="\r\n"), ";")},
    "blanks before quotes only": {"2016.csv": text_of().replace(',"', ', "').encode()},
    "fully quoted lines": {"2016.csv": wrapped(text_of(), header=False)},
    "quoted lines, empty fields": {"2016.csv": wrapped(text_of(), header=True).replace(b"\n", b";;\r\n") + b";;\r\n"},
    "some fully quoted lines": {"2016.csv": FIRST + wrapped(SECOND.decode(), header=False).partition(b"\n")[2]},
    "fully quoted lines with carets": {"2016.csv": wrapped(text_of(delimiter="^"), header=True)},
    "a comma after each row": {"2016.csv": PLAIN.replace(b"\n", b",\n").replace(b",\n", b"\n", 1)},
    "commas after the header": {"2016.csv": PLAIN.replace(b"\n", b",,\n", 1)},
    "tabs after rows": {"2016.csv": text_of(delimiter="\t").replace("\n", "\t\t\n").replace("\t\n", "\n", 1).encode()},
    "R's numbers before each row": {"2016.csv": PLAIN.replace(b"\n", b'\n"7",').removesuffix(b'"7",')},
    "UTF-16, big-endian, tabs": {"2016.txt.csv": b"\xfe\xff" + text_of(delimiter="\t").encode("utf-16-be")},
    "UTF-32": {"2016.csv": text_of().encode("utf-32")},
    "UTF-16 without a byte order mark": {"2016.csv": text_of().encode("utf-16-le")},
    "big-endian UTF-16 without a byte order mark": {"2016.csv": text_of(line_end="\r\n").encode("utf-16-be")},
    "Windows-1252": {"2016.csv": text_of().encode("cp1252")},
    "JSON and CSV with the API's system fields": {
        "2016-01.csv": text_of([{":id": "row-0", **row} for row in ROWS[:12]], [":id", *NAMES]).encode(),
        "2016-02.json": json.dumps([{":id": "row-0", **row} for row in as_json(ROWS[12:])]).encode(),
    },
    "JSON with keys that are paths": {"2016.json": json.dumps(PATHS).encode()},
    "JSON with a byte order mark": {"2016.json": BOM + json.dumps(as_json()).encode()},
    "JSON lines in UTF-16": {"2016.jsonl": "\n".join(JSON_LINES).encode("utf-16")},
    "JSON pages": {"2016.json": "\n".join(json.dumps(page) for page in (as_json()[:9], as_json()[9:], [])).encode()},
    "JSON and an empty page": {"2016-1.json": json.dumps(as_json()).encode(), "2016-2.json": b"[ ]\n"},
    "JSON lines with commas": {"2016.jsonl": ",\r\n".join(JSON_LINES).encode()},
    "JSON lines and an array": {"2016.jsonl": "\n".join([*JSON_LINES[:9], json.dumps([as_json()[9:]])]).encode()},
    "JSON of all years in a zip": {"crimes.zip": zipped({"rows.json": json.dumps(as_json(MANY)).encode()})},
    "months with different separators": {
        "2016-01.csv.gz": gzip.compress(FIRST),
        "2016-02.csv": halves(delimiter=";")[1],
    },
    "months with other columns": {
        "2016-01.csv": FIRST,
        "2016-02.csv": text_of(OTHER_COLUMNS, list(OTHER_COLUMNS[0]), delimiter="\t").encode(),
    },
    "a file per row": {f"2016 part {number}.csv": text_of([row]).encode() for number, row in enumerate(ROWS)},
    "a zip and its unpacked member": {"2016.zip": zipped({"2016.csv": PLAIN}), "2016.csv": PLAIN},
    "a year to date": {"Crimes 2015 to date.csv": text_of(MANY).encode()},
    **{
        f"the day {day} in the name": {f"crimes_{day}.csv": text_of(MANY).encode()}
        for day in ("2017-02-28", "02-28-2017", "28.02.2017", "Feb 28, 2017")
    },
    "all years, joined with their headers": {
        f"all{by}.csv": "".join(text_of([row], delimiter=by) for row in rows).encode()
        for by, rows in ((",", ROWS[:12]), (";", ROWS[12:]))
    },
    "a week in the name": {"crimes_2015_week53.csv": text_of(MANY).encode()},
    "years from a day": {"crimes_2016-01-01_2017.csv": text_of(MANY).encode()},
    "years to a month": {"chicago_crime_odp_2012_202511.csv": text_of(MANY, delimiter=";").encode()},
    "no year in the name": {"Crimes (1).csv": text_of(MANY).encode(), "areas.csv": b"area,name\n1,Loop\n"},
    "some years and a month": {
        "2012-2017.csv": text_of([row for row in MANY if row not in ROWS[12:]]).encode(),
        "2016-12.csv": halves(delimiter="|")[1],
    },
}
