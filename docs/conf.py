"""How `make docs` makes a site of these pages: Sphinx, reading them as the Markdown that they are.

Three things are put in while a page is read, so that the files stay what a forge shows: the contents behind the index, from
its own links, what `generated.py` makes of the data behind the pages of the reference, and the pictures of `pictures.py`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent))

import generated
import pictures

project = "armprof"
html_title = "armprof"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
root_doc = "docs/README"
include_patterns = ["CHANGELOG.md", "README.md", "docs/*.md", "examples/README.md", "examples/*/README.md"]
exclude_patterns = [".venv", "build"]
html_theme = "furo"
html_show_sphinx = html_show_copyright = html_copy_source = False
myst_heading_anchors = 4
highlight_language = "text"
python_maximum_signature_line_length = 88

CONTENTS = (root_doc, "examples/README")


def contents_of(index: str) -> str:
    """A hidden table of contents for each heading of an index, of the pages that it lists."""
    found = ""
    for caption, text in re.findall(r"^#+ ([^\n]+)\n(.*?)(?=^#+ |\Z)", index, re.MULTILINE | re.DOTALL):
        pages = "\n".join(re.findall(r"^- \[[^]]+\]\(([^)]+)\.md\)", text, re.MULTILINE))
        if pages:
            found += f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{pages}\n```\n"
    return found


def read(_app: Sphinx, page: str, source: list[str]) -> None:
    """What Sphinx reads instead of the file alone."""
    name = page.removeprefix("docs/")
    if page in CONTENTS:
        source[0] += contents_of(source[0])
    elif name in generated.PAGES:
        source[0] += "\n" + generated.PAGES[name]()
    elif name == "report":
        source[0] += pictures.markdown()


def write_start(app: Sphinx, failure: Exception | None) -> None:
    """The page that a server or a browser looks for first."""
    if failure is None and app.builder.name == "html":
        forward = f'<meta http-equiv="refresh" content="0; url={root_doc}.html">'
        Path(app.outdir, "index.html").write_text(f"<!doctype html><title>armprof</title>{forward}\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("source-read", read)
    app.connect("build-finished", write_start)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
