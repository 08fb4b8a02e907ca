"""What the site has besides the pages of docs/: pages that live elsewhere, notebooks, drawings and the API reference.

MkDocs calls ``on_config``, ``on_files`` and ``on_page_markdown``.
"""

import json
import os
import posixpath
import re
from html import escape
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

from grandalf.graphs import Edge, Graph, Vertex
from grandalf.layouts import SugiyamaLayout
from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
#: Files of the repository that are pages of the site, too.
PAGES = {
    "README.md": "index.md",
    "config/README.md": "configuration.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
#: The page that runs networks, the runtime that it needs, and the landmarker that it offers; ``make docs`` brings both,
#: and other folders may be named by the environment.
BROWSER = "browser.md"
RUNTIME = Path(os.environ.get("ORT_WEB", ROOT / "runs/npm/node_modules/onnxruntime-web/dist"))
RUNTIME_FILES = ("ort.wasm.min.js", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
LANDMARKER = Path(os.environ.get("LANDMARKER", ROOT / "runs/landmarker"))
LANDMARKER_FILES = ("landmarks.onnx", "detector.onnx")
NOTEBOOKS = sorted((ROOT / "docs/notebooks").glob("*.ipynb"))
_LINK = re.compile(r"(\]\()([^)\s#]+)(#[^)\s]*)?(\))")
_MERMAID = re.compile(r"^```mermaid\ngraph \w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ARROW = re.compile(r"\s*(-\. (?P<label>.*?) \.->|-\.->|-->)\s*")


def packages() -> list[str]:
    """The packages that have a page in the reference: those of the library, and the procedural heads."""
    found = [path.parent for path in (ROOT / "workflow_scripts/tfake").glob("*/__init__.py")]
    return ["tfake", *sorted(f"tfake.{path.name}" for path in found), "heads"]


def modules(package: str) -> list[str]:
    """A package and its public modules, subpackages' included; ``tfake`` itself is one module."""
    folder = ROOT / "workflow_scripts" / package.replace(".", "/")
    inner = folder.glob("*.py") if package == "tfake" else folder.rglob("*.py")
    names = (path.relative_to(ROOT / "workflow_scripts").with_suffix("") for path in inner)
    return [package, *sorted(".".join(name.parts) for name in names if not name.name.startswith("_"))]


def on_config(config):
    """Put notebooks and reference into the navigation."""
    titles = [{notebook_title(path): f"notebooks/{path.stem}.md"} for path in NOTEBOOKS]
    config.nav.insert(2, {"Notebooks": titles})
    config.nav.append({"Reference": [{name: f"reference/{name}.md"} for name in packages()]})
    return config


def on_files(files, config):
    """Add the pages that are made or that live outside docs/, and the files that they link to."""
    for source, target in PAGES.items():
        files.append(File.generated(config, target, content=moved(source, target)))
    for name in ("LICENSE", "CITATION.cff"):
        files.append(File.generated(config, name, abs_src_path=str(ROOT / name)))
    for path in runtime_files():
        files.append(File.generated(config, f"browser/ort/{path.name}", abs_src_path=str(path)))
    for path in landmarker_files():
        files.append(File.generated(config, f"browser/{path.name}", abs_src_path=str(path)))
    for path in NOTEBOOKS:
        files.append(File.generated(config, f"notebooks/{path.stem}.md", content=notebook_page(path)))
    for name in packages():
        text = "\n\n".join(f"::: {module}" for module in modules(name)[1:])
        head = f"# {name}\n\n::: {name}\n    options:\n      show_root_heading: false\n"
        files.append(File.generated(config, f"reference/{name}.md", content=f"{head}\n{text}\n"))
    return files


def on_page_markdown(markdown, page, config, files):
    """Aim links to pages that have moved, and draw graphs."""
    source = page.file.src_uri
    if page.file.generated_by is None:
        markdown = aimed(markdown, f"docs/{source}", source)
    if source == BROWSER:
        markdown = with_scripts(markdown)
    return _MERMAID.sub(lambda match: drawing(match[1]), markdown)


def runtime_files() -> list[Path]:
    """The files of onnxruntime-web that a page loads; none where it is not installed, or not wholly."""
    paths = [RUNTIME / name for name in RUNTIME_FILES]
    return paths if all(path.is_file() for path in paths) else []


def landmarker_files() -> list[Path]:
    """The models of the exported landmarker; none without."""
    paths = [LANDMARKER / name for name in LANDMARKER_FILES]
    return [path for path in paths if path.is_file()] if paths[0].is_file() else []


def with_scripts(markdown: str) -> str:
    """The page that runs networks, with its scripts and the names of the models that there are."""
    scripts = ["ort/ort.wasm.min.js"] if runtime_files() else []
    scripts += ["landmarker.js", "pictures.js", "page.js"]
    tags = "\n".join(f'<script defer src="browser/{name}"></script>' for name in scripts)
    names = " ".join(path.name for path in landmarker_files())
    return markdown.replace("{scripts}", tags).replace("{networks}", names)


def moved(source: str, target: str) -> str:
    """The text of a page of the repository, its links as seen from its place in the site."""
    return aimed((ROOT / source).read_text(encoding="utf-8"), source, target)


def aimed(text: str, source: str, target: str) -> str:
    """Links of the page ``source`` of the repository as those of the page ``target`` of the site."""

    def aim(match):
        link = match[2]
        if re.match(r"\w+:", link):
            return match[0]
        place = posixpath.normpath(posixpath.join(posixpath.dirname(source), link))
        if module := re.fullmatch(r"workflow_scripts/(tfake/\w+|heads)/.*py", place):
            place = f"reference/{module[1].replace('/', '.')}.md"
        place = PAGES.get(place, place.removeprefix("docs/"))
        place = re.sub(r"\.ipynb$", ".md", place)
        return match[1] + posixpath.relpath(place, posixpath.dirname(target) or ".") + (match[3] or "") + match[4]

    return _LINK.sub(aim, text)


def notebook_title(path: Path) -> str:
    """The first heading of a notebook."""
    first = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
    return first.splitlines()[0].removeprefix("# ")


def notebook_page(path: Path) -> str:
    """A notebook as Markdown: its text, its code; outputs are not kept."""
    parts = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        text = "".join(cell["source"])
        parts.append(text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```")
    return "\n\n".join(parts)


def arrows(text: str) -> tuple[list[str], list[tuple[str, str, str, bool]]]:
    """The nodes of a Mermaid graph of plain names, and its edges: from, to, label, dotted."""
    nodes, edges = {}, []
    for line in filter(None, map(str.strip, text.splitlines())):
        ends = _ARROW.split(line)[::3]
        nodes |= dict.fromkeys(ends)
        for (start, end), arrow in zip(pairwise(ends), _ARROW.finditer(line), strict=True):
            edges.append((start, end, arrow["label"] or "", arrow[0].strip() != "-->"))
    return list(nodes), edges


class Node(Vertex):
    """A named node. Its hash is its number: grandalf keeps nodes in sets, and a drawing should not change by chance."""

    def __init__(self, name: str, number: int):
        """Size it for its name: grandalf's layers run downwards, so its height is what is drawn as width."""
        super().__init__(name)
        self.number = number
        self.view = SimpleNamespace(h=7.4 * len(name) + 16, w=24)

    def __hash__(self) -> int:
        """Return the number."""
        return self.number


def drawing(text: str) -> str:
    """A Mermaid graph of plain names as an SVG drawing in layers from left to right."""
    nodes, edges = arrows(text)
    vertices = {name: Node(name, number) for number, name in enumerate(nodes)}
    links = [Edge(vertices[start], vertices[end], data=(label, dotted)) for start, end, label, dotted in edges]
    graph = Graph(list(vertices.values()), links)
    offset, width = 8.0, 0.0
    lines, boxes, labels = [], [], []
    for component in sorted(graph.C, key=lambda component: -component.order()):
        layout = SugiyamaLayout(component)
        layout.xspace, layout.yspace = 10, 44
        layout.init_all()
        layout.draw(12)
        inner = list(component.sV)
        top = min(v.view.xy[0] - v.view.w / 2 for v in inner)
        left = min(v.view.xy[1] - v.view.h / 2 for v in inner)
        for vertex in inner:
            y, x = vertex.view.xy
            vertex.view.place = (x - left + 8, y - top + offset)
        lines += map(line, component.sE)
        labels += map(label, component.sE)
        boxes += map(box, inner)
        width = max(width, *(v.view.place[0] + v.view.h / 2 for v in inner))
        offset = max(v.view.place[1] + v.view.w / 2 for v in inner) + 14
    tip = (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0,0L8,4L0,8z"/></marker></defs>'
    )
    inside = "".join(sorted(lines) + sorted(boxes) + sorted(labels))
    size = f'width="{width + 8:.0f}" height="{offset:.0f}"'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">{tip}{inside}</svg>'
    return f'<div class="drawing" tabindex="0">{svg}</div>'


def box(vertex: Vertex) -> str:
    """A node's box with its name."""
    (x, y), width, height = vertex.view.place, vertex.view.h, vertex.view.w
    return (
        f'<rect class="box" x="{x - width / 2:.1f}" y="{y - height / 2:.1f}" '
        f'width="{width:.1f}" height="{height}" rx="4"/>'
        f'<text x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle">{escape(vertex.data)}</text>'
    )


def ends(edge: Edge) -> tuple[float, float, float, float]:
    """Where an edge leaves its start's right side, and where it meets its end's left side."""
    (x0, y0), (x1, y1) = edge.v[0].view.place, edge.v[1].view.place
    return x0 + edge.v[0].view.h / 2, y0, x1 - edge.v[1].view.h / 2, y1


def line(edge: Edge) -> str:
    """An edge as a curve."""
    x0, y0, x1, y1 = ends(edge)
    bend = max(30.0, abs(x1 - x0) / 2)
    style = "edge dotted" if edge.data[1] else "edge"
    path = f"M{x0:.1f},{y0:.1f}C{x0 + bend:.1f},{y0:.1f} {x1 - bend:.1f},{y1:.1f} {x1:.1f},{y1:.1f}"
    return f'<path class="{style}" d="{path}" marker-end="url(#tip)"/>'


def label(edge: Edge) -> str:
    """The words on an edge, if there are any, above its middle."""
    x0, y0, x1, y1 = ends(edge)
    place = f'x="{(x0 + x1) / 2:.1f}" y="{(y0 + y1) / 2 - 4:.1f}"'
    return f'<text class="label" {place} text-anchor="middle">{escape(edge.data[0])}</text>' if edge.data[0] else ""
