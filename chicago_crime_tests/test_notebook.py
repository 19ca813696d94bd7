"""The tutorial's notebook runs unchanged in an empty folder without a network."""

import os
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from chicago_crime_tests.support import PROJECT


@pytest.mark.slow
def test_the_notebook_draws_a_chart_and_cites_the_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    notebook = nbformat.read(PROJECT / "docs" / "tutorial" / "notebook.ipynb", as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert any("image/svg+xml" in output.get("data", ()) for output in shown)
    citation = shown[-1]["text"]
    assert citation.startswith("Chicago crime snapshot ") and "SYNTHETIC" in citation
