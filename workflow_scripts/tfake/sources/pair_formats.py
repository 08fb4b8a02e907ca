"""How paired sets name their files: which visible, thermal and class images belong together, and whose they are.

``stems``: ``{stem}_v.*``, ``{stem}_t.*`` and, if known, ``{stem}_seg.png``: SEJONG as released, and our lab set.
``tfake``: ``{stem}_rgb.*``, ``{stem}_thermal.*``: SEJONG as T-FAKE preprocessed it (Flotho et al., CVPR 2025).
``speakingfaces``: ``sub_{id}/trial_{t}/{rgb_image_aligned,thr_image}/{…}_{frame}_{3|1}.png``, and the same with
``rgb_image_cmd_aligned``, ``thr_image_cmd`` for its second session (IS2AI/SpeakingFaces; the last number is the
stream).
``folders``: ``visible/``, ``thermal/`` and, if known, ``seg/``, with the same names below them up to the suffix.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile
from pathlib import PurePosixPath

from tfake.sources.thermal_files import IMAGE_SUFFIXES, THERMAL_SUFFIXES

_SUFFIXES = {"visible": IMAGE_SUFFIXES, "thermal": THERMAL_SUFFIXES, "segmentation": (".png",)}
_SPEAKING_FACES = re.compile(
    r"(?P<before>(?:.*/)?(?P<subject>sub_\d+)(?:_\w+)?/trial_\d+)/"
    r"(?:rgb_image(?:_cmd)?_aligned/(?P<visible>\w+)_3|thr_image(?:_cmd)?/(?P<thermal>\w+)_1)"
)
_FOLDER_ROLES = {"visible": "visible", "thermal": "thermal", "seg": "segmentation"}


@dataclass(frozen=True)
class PairMembers:
    """The files of one pair."""

    visible: str
    thermal: str
    segmentation: str | None
    subject: str  # "" when the naming does not tell


@dataclass(frozen=True)
class _Place:
    role: str
    stem: str
    subject: str | None = None  # None: the stem's folders tell


_Locate = Callable[[str], _Place | None]


def _by_ending(visible: str, thermal: str) -> _Locate:
    roles = {visible: "visible", thermal: "thermal", "seg": "segmentation"}

    def locate(bare: str) -> _Place | None:
        stem, _, ending = bare.rpartition("_")
        role = roles.get(ending.lower())
        return None if role is None else _Place(role, stem)

    return locate


def _by_stream(bare: str) -> _Place | None:
    match = _SPEAKING_FACES.fullmatch(bare)
    if not match:
        return None
    role = "visible" if match["visible"] else "thermal"
    # The two sessions have folders, but also file names, of their own: the stem needs no more than the file name.
    return _Place(role, f"{match['before']}/{match[role]}", match["subject"])


def _by_folder(bare: str, shared: int, last: bool = False) -> _Place | None:
    parts = PurePosixPath(bare).parts
    places = [place for place in range(shared, len(parts) - 1) if parts[place].lower() in _FOLDER_ROLES]
    if not places:
        return None
    place = places[-1 if last else 0]
    return _Place(_FOLDER_ROLES[parts[place].lower()], "/".join((*parts[:place], *parts[place + 1 :])))


def _folder_ways(names: Sequence[str]) -> list[_Locate]:
    """The folder that tells a role is the first below those that all share, or else the last.

    The whole set may lie in a folder called "thermal", and so may each person's part of it.
    """
    folders = [PurePosixPath(name).parts[:-1] for name in names]
    folders = [parts for parts in folders if any(part.lower() in _FOLDER_ROLES for part in parts)]
    shared = sum(1 for _ in takewhile(lambda level: len(set(level)) == 1, zip(*folders, strict=False)))
    return [partial(_by_folder, shared=shared), partial(_by_folder, shared=0, last=True)]


# How a file's place is found, from all the set's names; a second way is gone where the first leaves a lone file.
_LAYOUTS: dict[str, tuple[Callable[[Sequence[str]], list[_Locate]], str]] = {
    "stems": (lambda _: [_by_ending("v", "t")], "STEM_v.* and STEM_t.*"),
    "tfake": (lambda _: [_by_ending("rgb", "thermal")], "STEM_rgb.* and STEM_thermal.*"),
    "speakingfaces": (lambda _: [_by_stream], "sub_*/trial_*/rgb_image_aligned/NAME_3.png and …/thr_image/NAME_1.png"),
    "folders": (_folder_ways, "visible/NAME.* and thermal/NAME.*"),
}
PAIR_LAYOUTS = tuple(_LAYOUTS)


def check_layout(layout: str) -> None:
    """Refuse a layout that is not known.

    Raises:
        ValueError: with what was expected and found.
    """
    if layout not in _LAYOUTS:
        raise ValueError(f"the pairs' layout must be one of {', '.join(PAIR_LAYOUTS)}; found {layout!r}")


def match_pairs(where: str, names: Sequence[str], layout: str) -> dict[str, PairMembers]:
    """Find the pairs among the files of a set.

    Args:
        where: the folder or zip, for messages.
        names: its files, "/" between folders; those that the layout does not name are left out.
        layout: one of ``PAIR_LAYOUTS``.

    Returns:
        Members by stem. The subject is ``sub_*`` for SpeakingFaces; else the first folder of the stem that the set's
        stems do not all share; a folder all pairs are in is the subject only when there is none below it.

    Raises:
        ValueError: an unknown layout, no pair, a file without partner, or two files for one place.
    """
    check_layout(layout)
    ways, expected = _LAYOUTS[layout]
    tries = [_locate_all(names, locate) for locate in ways(names)]
    found, subjects, twice = next((tried for tried in tries if _is_complete(tried[0])), tries[0])
    if twice:
        raise ValueError(f"{where}: {twice[0]} and {twice[1]} claim the same place")
    visible, thermal = found["visible"], found["thermal"]
    if lone := _lone(found):
        unmatched = sorted(stems[stem] for stems in (visible, thermal) for stem in lone & stems.keys())
        more = f" and {len(unmatched) - 5} more" if len(unmatched) > 5 else ""
        raise ValueError(f"{where}: no partner for {', '.join(unmatched[:5])}{more}; a pair is {expected}")
    if not visible:
        raise ValueError(f"{where}: no pairs {expected} among its {len(names)} files")
    pairs = {
        stem: PairMembers(visible[stem], thermal[stem], found["segmentation"].get(stem), subjects[stem] or "")
        for stem in visible
    }
    unknown = [stem for stem in pairs if not pairs[stem].subject]
    return pairs | {
        stem: replace(pairs[stem], subject=subject)
        for stem, subject in zip(unknown, _subjects_by_folder(unknown), strict=True)
    }


def _locate_all(
    names: Sequence[str], locate: _Locate
) -> tuple[dict[str, dict[str, str]], dict[str, str | None], tuple[str, str] | None]:
    """Names by role and stem, the subject of each stem, and the first two names that claim one place."""
    found: dict[str, dict[str, str]] = {role: {} for role in _SUFFIXES}
    subjects: dict[str, str | None] = {}
    twice = None
    for name in names:
        suffix = PurePosixPath(name).suffix
        place = locate(name.removesuffix(suffix))
        if place is None or suffix.lower() not in _SUFFIXES[place.role]:
            continue
        claimed = found[place.role].setdefault(place.stem, name)
        if claimed != name:
            twice = twice or (claimed, name)
        subjects[place.stem] = place.subject
    return found, subjects, twice


def _is_complete(found: dict[str, dict[str, str]]) -> bool:
    return bool(found["visible"]) and not _lone(found) and found["segmentation"].keys() <= found["visible"].keys()


def _lone(found: dict[str, dict[str, str]]) -> set[str]:
    return found["visible"].keys() ^ found["thermal"].keys()


def _subjects_by_folder(stems: Sequence[str]) -> list[str]:
    folders = [PurePosixPath(stem).parts[:-1] for stem in stems]
    # A zip often holds one folder with everything in it: that is no subject, as long as there are folders below it.
    while folders and all(len(parts) > 1 for parts in folders) and len({parts[0] for parts in folders}) == 1:
        folders = [parts[1:] for parts in folders]
    return [parts[0] if parts else "" for parts in folders]
