"""Builds the guide as pages for a browser; see packaging/guide.sh.

usage: python packaging/guide.py FOLDER
The pages are gathered into a folder of drafts: the guide as it ships, the house cut into its
picture and its walks, words, files, decisions, and a page for every module of `core` and
`learning`, which mkdocstrings fills from the docstrings without importing anything.
"""

import json
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mkdocs.commands.build import build
from mkdocs.config import load_config

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "smarthdr_studio"
sys.path.insert(0, str(ROOT))

from smarthdr_studio import __version__  # noqa: E402

# Where a link of the repository leads among the pages.
MOVED = {
    "DISK.md": "disk.md",
    "GLOSSARY.md": "glossary.md",
    "decisions": "../decisions/index.md",
    "decisions/": "../decisions/index.md",
}
WALKS = "## Four walks"
Nav = list[dict[str, Any]]

# A browser starts no worker from a file; there, what would be one runs in a frame that nobody sees.
WORKER = "scripts/iframe-worker.js"
FRAME_FOR_WORKER = """
if (location.protocol === "file:") window.Worker = class extends EventTarget {
  constructor(url) {
    super()
    const frame = document.createElement("iframe")
    frame.hidden = true
    document.body.append(frame)
    this.inside = frame.contentWindow
    this.inside.postMessage = data => this.dispatchEvent(new MessageEvent("message", { data }))
    this.ready = new Promise(done => {
      const script = this.inside.document.createElement("script")
      script.src = url
      script.onload = done
      this.inside.document.body.append(script)
    })
  }
  postMessage(data) {
    this.ready.then(() => this.inside.dispatchEvent(new MessageEvent("message", { data })))
  }
  terminate() {}
}
"""
# Whatever a script of the theme might want: a page loads nothing but what lies beside it.
HEAD = """{% extends "base.html" %}
{% block extrahead %}
<meta http-equiv="Content-Security-Policy"
  content="default-src 'self' file: data: blob: 'unsafe-inline'">
{% endblock %}
"""


# Who searches for a word of the window wants the guide before a module of that name.
FOUND_LAST = "---\nsearch:\n  boost: 0.1\n---\n"
FOR_SERVERS = ("404.html", "sitemap.xml", "sitemap.xml.gz")


def title_of(text: str) -> str:
    """What a page calls itself."""
    return text.lstrip().partition("\n")[0].lstrip("# ").strip()


def number_of(page: Path) -> tuple[int, str]:
    """Pages stand in the order of the numbers that their names begin with."""
    number = re.match(r"\d+", page.name)
    return int(number[0]) if number else 0, page.name


def copied(sources: Iterable[Path], folder: Path) -> Nav:
    """Every page as it is, by the title it gives itself; other files beside them too."""
    folder.mkdir(parents=True)
    nav: Nav = []
    for source in sorted(sources, key=number_of):
        shutil.copy(source, folder)
        if source.suffix == ".md":
            nav.append({title_of(source.read_text("utf-8")): f"{folder.name}/{source.name}"})
    return nav


def write_house(folder: Path) -> Nav:
    """The picture of the house, its walks, its words, and what lies where on a disk."""
    folder.mkdir(parents=True)
    house = (PACKAGE / "ARCHITECTURE.md").read_text("utf-8")
    picture, _, rest = house.partition(WALKS)
    walks, _, more = rest.partition("\n## ")
    # A walk begins with its name in bold: here that is a heading one can be sent to.
    walks = re.sub(r"^\*\*(.+?)\.\*\*\s*", r"## \1\n\n", walks.strip(), flags=re.MULTILINE)
    pages = {
        "architecture.md": f"{picture.rstrip()}\n\nWhat happens on the way of four things: "
        f"[four walks](walks.md).\n\n## {more}",
        "walks.md": f"# Four walks\n\n{walks}\n",
        "glossary.md": (PACKAGE / "GLOSSARY.md").read_text("utf-8"),
        "disk.md": (PACKAGE / "DISK.md").read_text("utf-8"),
    }
    for name, text in pages.items():
        (folder / name).write_text(relinked(text), "utf-8")
    return [{title_of(text): f"{folder.name}/{name}"} for name, text in pages.items()]


def relinked(text: str) -> str:
    """Links to files of the repository lead to their pages, and so do names of modules."""
    text = re.sub(r"\]\(([^)#]+)\)", lambda found: f"]({MOVED.get(found[1], found[1])})", text)
    return re.sub(r"`((?:core|learning)/[a-z_/]+)`", by_name, text)


def by_name(found: re.Match[str]) -> str:
    """A link to the page of a module, where it is one."""
    there = (PACKAGE / f"{found[1]}.py").is_file()
    return f"[{found[0]}](../api/{found[1]}.md)" if there else found[0]


def write_api(folder: Path, package: str) -> Nav:
    """A page for each module of a package, in folders as the package has them."""
    source = PACKAGE / package
    here = folder / package
    here.mkdir(parents=True)
    nav: Nav = []
    for path in sorted(source.iterdir(), key=lambda each: (each.is_dir(), each.name)):
        name = f"{package}/{path.stem}"
        if path.is_dir() and (path / "__init__.py").exists():
            nav.append({path.name: write_api(folder, name)})
        elif path.suffix == ".py":
            room = path.name == "__init__.py"
            page = here / ("index.md" if room else f"{path.stem}.md")
            module = (package if room else name).replace("/", ".")
            text = f"{FOUND_LAST}# {module}\n\n::: smarthdr_studio.{module}\n"
            page.write_text(text, "utf-8")
            where = page.relative_to(folder.parent).as_posix()
            nav.append({source.name if room else path.stem: where})
    return nav


def write_pages(folder: Path) -> Nav:
    """All pages; the answer is what stands at their side."""
    resources = ROOT / "resources" / "guide"
    guide = copied(resources.iterdir(), folder / "guide")
    house = write_house(folder / "house")
    decisions = copied((PACKAGE / "decisions").glob("*.md"), folder / "decisions")
    links = "\n".join(
        f"- [{name}]({Path(page).name})" for each in decisions for name, page in each.items()
    )
    (folder / "decisions" / "index.md").write_text(f"# Why it is so\n\n{links}\n", "utf-8")
    api = [{room: write_api(folder / "api", room)} for room in ("core", "learning")]
    chapters = "\n".join(f"- [{name}]({page})" for each in guide for name, page in each.items())
    (folder / "index.md").write_text(
        f"# SmartHDR Studio {__version__}\n\nSee where an HDR pseudo-label can be trusted, choose "
        "which few scenes deserve a real label, and train with one click.\n\n## The guide\n\n"
        f"{chapters}\n\n## For who changes the program\n\n"
        "- [The house](house/architecture.md), [four walks](house/walks.md) through it, "
        "[a project on disk](house/disk.md), [the words](house/glossary.md)\n"
        "- [Why it is so](decisions/index.md)\n"
        "- By name: [core](api/core/index.md), [learning](api/learning/index.md)\n",
        "utf-8",
    )
    return [
        {"Start": "index.md"},
        {"Guide": guide},
        {"House": house},
        {"Decisions": [{"Why it is so": "decisions/index.md"}, *decisions]},
        {"By name": api},
    ]


def settings(pages: Path, theme: Path, out: Path, nav: Nav) -> dict[str, Any]:
    """What MkDocs is told: everything from this machine, and files that open without a server."""
    signatures = {
        "docstring_style": "google",
        "members_order": "source",
        "show_source": False,
        "show_root_heading": False,
        "show_root_toc_entry": False,
        "show_root_members_full_path": False,
        "show_if_no_docstring": False,
        "show_submodules": False,
        "separate_signature": True,
        "show_signature_annotations": True,
        "heading_level": 2,
        "filters": ["!^_[^_]"],
        "merge_init_into_class": True,  # what a dataclass holds
    }
    python = {"paths": [str(ROOT)], "inventories": [], "options": signatures}
    return {
        "site_name": "SmartHDR Studio",
        "docs_dir": str(pages),
        "site_dir": str(out),
        "nav": nav,
        "use_directory_urls": False,
        "strict": True,
        "theme": {
            "name": "material",
            "custom_dir": str(theme),
            "font": False,
            "icon": {"logo": "material/image-multiple"},
            "features": ["navigation.tabs", "navigation.indexes", "navigation.top", "toc.follow"],
            "palette": [
                {
                    "media": "(prefers-color-scheme: light)",
                    "scheme": "default",
                    "primary": "blue grey",
                },
                {
                    "media": "(prefers-color-scheme: dark)",
                    "scheme": "slate",
                    "primary": "blue grey",
                },
            ],
        },
        "extra": {"generator": False, "polyfills": [WORKER]},
        "plugins": [
            {"search": {}},
            {"offline": {}},
            {"mkdocstrings": {"handlers": {"python": python}}},
        ],
        "markdown_extensions": [
            "tables",
            "fenced_code",
            "sane_lists",
            {"toc": {"permalink": True}},
        ],
        "validation": {"links": {"not_found": "warn", "anchors": "warn"}},
    }


def main(out: Path) -> None:
    """Gather the pages and build them; a link that leads nowhere is an error."""
    with tempfile.TemporaryDirectory() as folder:
        pages = Path(folder) / "pages"
        pages.mkdir()
        theme = Path(folder) / "theme"
        theme.mkdir()
        (theme / "main.html").write_text(HEAD, "utf-8")
        (pages / WORKER).parent.mkdir()
        (pages / WORKER).write_text(FRAME_FOR_WORKER, "utf-8")
        nav = write_pages(pages)
        told = Path(folder) / "mkdocs.yml"
        told.write_text(json.dumps(settings(pages, theme, out, nav)), "utf-8")
        config = load_config(str(told))
        config.plugins.on_startup(command="build", dirty=False)
        try:
            build(config)
        finally:
            config.plugins.on_shutdown()
    for name in FOR_SERVERS:
        (out / name).unlink(missing_ok=True)
    print(f"The guide is {out / 'index.html'}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
