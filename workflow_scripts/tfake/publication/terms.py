"""The terms that published data stands under: what is made from FaceSynthetics keeps FaceSynthetics' terms."""

from dataclasses import dataclass
from pathlib import Path

from tfake.acquisition.terms import license_text


@dataclass(frozen=True)
class Terms:
    """Terms of the data, and what has to be passed on with it."""

    name: str  # as source.license has it
    title: str
    url: str
    hub_id: str  # the identifier that Hugging Face's cards use
    summary: str
    attribution: str
    citations: tuple[str, ...]  # titles in CITATION.cff that belong to the data


_KNOWN = {
    "CC0-1.0": Terms(
        name="CC0-1.0",
        title="CC0 1.0 Universal",
        url="https://creativecommons.org/publicdomain/zero/1.0/",
        hub_id="cc0-1.0",
        summary="The faces are procedural; the data is dedicated to the public domain, without any terms.",
        attribution="",
        citations=(),
    ),
    "R-UDA-1.0": Terms(
        name="R-UDA-1.0",
        title="Research Use of Data Agreement v1.0",
        url="https://github.com/microsoft/FaceSynthetics",
        hub_id="other",
        summary="For non-commercial research by computational use only. Who passes the data on, changed or not, binds "
        "each recipient to the same agreement and includes the attribution below. Money may not be taken for it.",
        attribution="Made from the Face Synthetics dataset, Microsoft. Erroll Wood, Tadas Baltrušaitis, Charlie "
        "Hewitt, Sebastian Dziadzio, Thomas J. Cashman, Jamie Shotton: Fake it till you make it: face analysis in the "
        "wild using synthetic data alone. ICCV 2021. https://github.com/microsoft/FaceSynthetics",
        citations=("Fake it till you make it: face analysis in the wild using synthetic data alone",),
    ),
}


def terms_of(name: str) -> Terms:
    """The terms of a name in ``source.license``; terms unknown here are passed on by their name alone."""
    if name in _KNOWN:
        return _KNOWN[name]
    return Terms(
        name=name,
        title=name,
        url="",
        hub_id="other",
        summary=f"The data stands under the terms of its source, {name}; ask there for their text.",
        attribution=f"Made from a source whose terms are {name}.",
        citations=(),
    )


def write_terms(folder: Path, terms: Terms, has_rgb: bool = False) -> None:
    """Write ``LICENSE.txt``, and ``ATTRIBUTION.txt`` where the terms ask for attribution, into a folder.

    Args:
        folder: what is passed on.
        terms: of its source.
        has_rgb: whether the source's own images are in it.
    """
    text = license_text(terms.name)
    (folder / "LICENSE.txt").write_text(f"{terms.title}\n\n{terms.summary}\n" if text is None else text)
    if terms.attribution:
        own = "The RGB images are the source's own, unchanged. " if has_rgb else ""
        (folder / "ATTRIBUTION.txt").write_text(f"{terms.attribution}\n\n{own}{terms.summary} See LICENSE.txt.\n")
