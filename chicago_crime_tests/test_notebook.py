"""The tutorial's notebook runs in an empty folder without a network, also with other years."""

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
    for cell in notebook.cells:  # a type that is rare enough for months without a crime
        cell.source = cell.source.replace("--years 2019-2022", "--years 2020-2022").replace('"BURGLARY"', '"ARSON"')
    rates = "assert (len(burglaries), *burglaries.notna().all()) == (36, True, True, False), burglaries"
    zero = "assert (burglaries.arrest_rate == 0).any()"
    notebook.cells.insert(-1, nbformat.v4.new_code_cell(f"{rates}\n{zero}"))
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    [chart] = [output.data["image/svg+xml"] for output in shown if "image/svg+xml" in output.get("data", ())]
    assert "Burglaries by month (SYNTHETIC)" in chart
    citation = shown[-1]["text"]
    assert citation.startswith("Chicago crime snapshot ") and "SYNTHETIC" in citation
