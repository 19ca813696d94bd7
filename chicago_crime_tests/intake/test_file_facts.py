"""Tests of `chicago_crime/file_facts.py`."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chicago_crime.intake import file_facts
from chicago_crime.intake.file_facts import examine


@pytest.mark.parametrize(
    ("content", "lines"),
    [(b"", 0), (b"a", 1), (b"a\n", 1), (b"a\r\n", 1), (b"a\r", 1), (b"a\n\nb", 3), (b"a\r\rb\r\n\nc", 5)],
)
def test_every_kind_of_line_end_counts(tmp_path: Path, content: bytes, lines: int) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    assert examine(file).lines == lines


@given(content=st.binary() | st.text(alphabet='aé\r\n,"').map(str.encode), block=st.integers(1, 5))
def test_facts_do_not_depend_on_how_the_file_is_read(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, block: int
) -> None:
    file = tmp_path_factory.mktemp("facts") / "file"
    file.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_facts, "_BLOCK", block)
        facts = examine(file)
    assert facts.sha256 == hashlib.sha256(content).hexdigest() == file_facts.sha256(file)
    assert facts.size == len(content)
    assert facts.has_paired_quotes == (b'""' in content)
    whole = content if content[-1:] in (b"", b"\n", b"\r") else content + b"\n"
    lines = whole.split(b"\n")[:-1]
    assert facts.commas_at_ends == tuple(sum(line.endswith(b"," * n) for line in lines) for n in (1, 2, 3, 4))
    with file.open(encoding="latin-1", newline=None) as text:
        assert facts.lines == sum(1 for _ in text)
    assert facts.is_plain == _is_plain(content)


def _is_plain(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return b"\r" not in content and b"\0" not in content and not content.startswith(b"\xef\xbb\xbf")
