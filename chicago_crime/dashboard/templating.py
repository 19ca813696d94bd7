"""Templates of pages and the report, and Markdown."""

import re
from itertools import pairwise
from pathlib import Path

import jinja2
from markdown_it import MarkdownIt
from markupsafe import Markup

from chicago_crime.dashboard.view import as_text

FOLDER = Path(__file__).parent
TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(FOLDER / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)


TEMPLATES.globals["as_text"] = as_text
TEMPLATES.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "default": str}


def methods() -> Markup:
    """Render `methods.md`, a copy of the page in the documentation, as HTML."""
    return as_html((FOLDER / "methods.md").read_text(encoding="utf-8"))


def as_html(text: str) -> Markup:
    """Render Markdown as HTML, with the same heading anchors as in the documentation."""
    markdown = MarkdownIt("commonmark").enable("table")
    tokens = markdown.parse(text)
    for heading, inline in pairwise(tokens):
        if heading.type == "heading_open":
            heading.attrSet("id", re.sub(r"[^\w-]", "", inline.content.lower().replace(" ", "-")))
    return Markup(markdown.renderer.render(tokens, markdown.options, {}))
