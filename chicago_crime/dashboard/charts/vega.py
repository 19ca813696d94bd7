"""The JavaScript that draws charts: Vega, Vega-Lite and their loader in one file, out of the package vl-convert.

It is made once per version, in a process of its own that takes its memory along, and kept in a file.
"""

import subprocess
import sys
import threading
from importlib.metadata import version
from pathlib import Path

from chicago_crime.intake.staging import publish, staging_folder

_MAKE = "import sys, vl_convert; open(sys.argv[1], 'w', encoding='utf-8').write(vl_convert.javascript_bundle())"

_one_at_a_time = threading.Lock()


def bundle(cache: Path) -> bytes:
    """The script; the first call makes it.

    Args:
        cache: folder that keeps it.
    """
    file = cache / f"vega-{version('vl-convert-python')}.js"
    with _one_at_a_time:
        if not file.exists():
            with staging_folder(cache / "staging") as folder:
                made = folder / file.name
                subprocess.run([sys.executable, "-c", _MAKE, str(made)], check=True)
                publish(made, file)
    return file.read_bytes()
