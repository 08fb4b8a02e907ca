"""What the documents promise: their links, and the commands in their shell blocks."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from recipes import ROOT

PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "config/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
#: A file of the reader's own, and what it holds where a page does not say.
OWN_CONFIG = "mine.yaml"
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_BLOCK = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`((?:snakemake|make) [^`]+)`")


@dataclass(frozen=True)
class Command:
    """One command of a page: environment variables, and words."""

    page: str
    variables: dict[str, str]
    words: tuple[str, ...]

    def __str__(self):
        return shlex.join(self.words)


def links_of(page: Path) -> list[str]:
    """The targets of a page's links, pictures included; what only looks like one inside code is left out."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return _LINK.findall(re.sub(r"`[^`]*`", "", text))


def anchors_of(page: Path) -> set[str]:
    """The anchors that a page's headings have on GitHub."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def commands_of(page: Path) -> list[Command]:
    """The commands of a page that run ``snakemake`` or ``make``: lines of shell blocks, and such words in the text."""
    text = page.read_text(encoding="utf-8")
    lines = [line for block in _BLOCK.findall(text) for line in block.splitlines()]
    lines += _INLINE.findall(re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    found = []
    for line in lines:
        words = shlex.split(line, comments=True)
        variables = {}
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            name, value = words.pop(0).split("=", 1)
            variables[name] = value
        # A name in capitals stands for one of the reader's own.
        if words and words[0] in ("snakemake", "make") and not re.search(r"_[A-Z]+$|\.\.\.|…", words[-1]):
            found.append(Command(str(page.relative_to(ROOT)), variables, tuple(words)))
    return found


#: Options that take every word up to the next option, with the form of those that are meant.
_GREEDY = {
    "--configfile": r".+\.(yaml|yml|json)",
    "--config": r"\w+=.*",
    "--resources": r"\w+=.*",
    "--set-resources": r"\w+:\w+=.*",
    "--set-threads": r"\w+=.*",
    "--rerun-triggers": r"mtime|params|input|software-env|code",
}


def swallowed(command: Command) -> list[str]:
    """Words that Snakemake takes for an option's: targets that stand behind it without ``--`` between."""
    found, meant = [], None
    for word in command.words[1:]:
        if word.startswith("--"):
            meant = _GREEDY.get(word)
        elif meant is not None and not re.fullmatch(meant, word):
            found.append(word)
    return found


def own_config() -> str:
    """The ``mine.yaml`` that the README writes down."""
    blocks = re.findall(r"^```yaml\n(.*?)^```", PAGES[0].read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    (own,) = [block for block in blocks if block.startswith(f"# {OWN_CONFIG}")]
    return own
