"""Rows with edge cases, written by hand: texts that engines might parse differently."""

from collections.abc import Iterator

from chicago_crime_tests.support import crime

DATES = [
    *("03/15/2014 02:30:00 PM", "3/5/2014 4:30", "03/15/2014 14:30", "2014-03-15 14:30:00", "2014-3-5 4:3:2"),
    *(" 03/15/2014 02:30:00 PM ", "03/15/2014  02:30:00 PM", "03/15/2014 02:30:00 pm", "03/15/2014 02:30:00PM"),
    *("03/15/2014 12:00:00 AM", "03/15/2014 00:30:00 PM", "03/15/2014 13:30:00 PM", "02/29/2014 02:30:00 PM"),
    *("02/30/2014 14:30", "03/15/14 14:30", "03/15/2014 24:00", "03/15/2014 23:59:60", "2014-03-15 23:59:60"),
    *("2014-03-15T14:30:00.000", "2014-03-15 14:30:00.123456789", "2014-03-15 14:30:00 UTC", "2014-03-15T14:30:00Z"),
    *("2014-03-15 14:30:00-06:00", "2014-03-15t14:30:00", "2014-03-15", "2014-03-15 14:30", "2014-03-1514:30:00"),
    *("2014-03-15 14:30:0", "2014-03-15 14:30:", "2014-03-15 14:30:005", "  2014-03-15 14:30:00", "soon", "", "  "),
    *("0/15/2014 14:30", "13/15/2014 14:30", "03/32/2014 14:30", "-3/15/2014 14:30", "+3/15/2014 14:30"),
    *("03/15/+2014 14:30", "03/15/02014 14:30", "03/15/20145 14:30", "3/15/214 14:30", "03/15/0014 14:30"),
    *("03/15/2014 1:2", "03/15/2014 14:30:00 PM", "03/15/2014\t14:30", "03/15/2014T14:30", "03/15/2014 14:300"),
    *("03/15/2014 014:30", "003/15/2014 14:30", "03/15/2014 14:60", "12/31/2014 23:59", "03/15/2014 2:30:00 P"),
    *("2014-12-31 23:59:60", "03/15/2014 12:30:60 AM", "03/15/2014 02:30:00 PM x", "\uff1214-03-15 14:30:00"),
    *("03/15/2014 14 :30", "03 /15/2014 14:30", "03/ 15/2014 14:30", "03/15/2014 :30", "03/15/2014 14:30\n"),
    *("\u00a003/15/2014 14:30", "03/15/9999 23:59", "0000-03-15 14:30:00", "10000-03-15 14:30:00"),
]
NUMBERS = [
    *("1", "17.0", "17.", "17.00", " 17 ", "017", "1e3", "1E3", "1e+5", "-1", "+1", "", "x", "1.5", "0", "0.0", "-0"),
    *("9223372036854775807", "9223372036854775808", "99999999999999999999", "1" + "0" * 40, "inf", "-Infinity", "nan"),
    *("1_000", "1e5_0", "_1", "0x10", "0b1", ".5", "5.", ".", "e5", "1.e5", "+.5", "1e400", "1e-400", "1 2", "--1"),
    *("\t1\n", "\x0b1\x0c", "\u00a01", "\uff11", "\u0661", "17.0.0", "1176352.0000001", "true", "1,000", "1d"),
    *("41.883500187", "41.88350018700001", "41.88350018699999", "41.1234567895", "-87.1234567885", "0.0000000005"),
    *("36.619446395", "36.6194456", "36.6194464999", "36.6194465001", "2.5", "123456789.012345678"),
]
FLAGS = [
    *("true", "True", "FALSE", "0", "1", "0.0", "1.0", "Y", "n", " y ", "yes", "", "T", "2", "TRUE\n", "\u00a0true"),
    "\u0130",  # a letter whose small one is two
]
CODES = [
    *("06", "6", "6.0", "8B", "08b", "8.0", "10", "10.0", "1", "01A", "1A", "", " 6 ", "ab", "6.00", "820", "820.0"),
    *("0820", "41a", "5.0", "141A", "\u0661", "6\n", "\uff106", "é", "12345", "6.", "ÿ"),
]
TEXTS = [
    *("a", " a ", "", "  ", "é", "\uff41", "\u00a0a\u00a0", "a\tb", "\ta", "a\r\nb", "\U0001f600", "\n", "\u3000a\t"),
    *("\u200ba", "\ufeffa", "a\u0301", "ß", '"', ",", "'", "\\", "a\x85", "NULL", "\u2028a"),
]
COLUMNS: dict[str, list[str]] = {
    **dict.fromkeys(("updated_on",), DATES),
    **dict.fromkeys(("beat", "district", "ward", "community_area"), NUMBERS),
    **dict.fromkeys(("x_coordinate", "y_coordinate", "latitude", "longitude"), NUMBERS),
    **dict.fromkeys(("arrest", "domestic"), FLAGS),
    **dict.fromkeys(("iucr", "fbi_code"), CODES),
    **dict.fromkeys(("case_number", "block", "primary_type", "description", "location_description"), TEXTS),
}
"""Edge cases of each column. Those of `id` and `date`, which decide whether a row is accepted, are in `edge_rows`."""


def edge_rows() -> Iterator[dict[str, str]]:
    """Rows of 2014: some that one value may reject, some with an odd value in each column, and some repeated ids."""
    for number, text in enumerate(DATES):
        yield crime(id=10_000 + number, date=text)
    for text in NUMBERS:
        yield crime(id=text)
    for number in range(max(map(len, COLUMNS.values()))):
        odd = {name: texts[number % len(texts)] for name, texts in COLUMNS.items()}
        yield crime(id=20_000 + number, **odd)
    yield crime(id=77, latitude="36.619446395", longitude="-91.686565684")
    yield crime(id=78, x_coordinate="0", y_coordinate="0")
    for updated_on in ("", "01/02/2015 12:00:00 PM", "01/01/2015 12:00", "soon"):
        for block in ("b", "", "a"):
            yield crime(id=79, updated_on=updated_on, block=block)
            yield crime(id=80, updated_on=updated_on, block=block, date="12/31/2013 11:59:59 PM")
