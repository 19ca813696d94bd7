"""The templates of pages and the report."""

import json
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

FOLDER = Path(__file__).parent
TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(FOLDER / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)


def as_json(value: Any) -> Markup:
    """A value as JSON that is safe inside a script element."""
    return Markup(json.dumps(value, separators=(",", ":"), default=str).replace("<", "\\u003c"))
