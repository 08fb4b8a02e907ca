"""``CITATION.cff`` of a published variant: the data, the workflow that made it, and what both build on."""

from pathlib import Path

import yaml

from tfake.publication.facts import Publication

#: The paper of the method, in the workflow's own citation file.
_METHOD = "T-FAKE: Synthesizing Thermal Images for Facial Landmarking"


def write_citation(folder: Path, facts: Publication, workflow_citation: str | Path) -> str:
    """Write ``CITATION.cff``.

    Args:
        folder: the published folder.
        facts: what is published.
        workflow_citation: the workflow's ``CITATION.cff``, whose references are taken over.

    Returns:
        How to cite the dataset, in one line.
    """
    workflow = yaml.safe_load(Path(workflow_citation).read_text())
    kept = (_METHOD, *facts.terms.citations)
    software = {key: workflow[key] for key in ("title", "type", "version", "license", "authors")}
    citation = {
        "cff-version": "1.2.0",
        "message": "If you use this dataset, cite it and the work it builds on.",
        "type": "dataset",
        "title": facts.title,
        "version": facts.version,
        "date-released": facts.date,
        "authors": [{"name": name} for name in facts.creators],
        **({"license": facts.terms.name} if facts.terms.hub_id != "other" else {}),
        **({"license-url": facts.terms.url} if facts.terms.hub_id == "other" and facts.terms.url else {}),
        **({"url": facts.url} if facts.url else {}),
        "references": [software, *(work for work in workflow["references"] if work["title"] in kept)],
    }
    text = yaml.safe_dump(citation, sort_keys=False, allow_unicode=True, width=120)
    (folder / "CITATION.cff").write_text(text)
    return f"{', '.join(facts.creators)}: {facts.title}, version {facts.version}, {facts.date[:4]}."
