"""The note that has to be accepted before anything learns the apparent sex of faces.

Planning a run imports this module where numpy is not installed.
"""

#: The key of the configuration that accepts it.
ACCEPTING_KEY = "face_classification.accept_ethics_note"
#: What is accepted.
ETHICS_NOTE = (
    "apparent_sex is an attribute of the renderer: which shape of face and hair was drawn for a synthetic person; of "
    "real sets, what their tables say. It is neither the sex nor the gender of anybody, neither can be read off a "
    "face, and classifiers of it fail groups of people unevenly. This study exists to show what published figures are "
    "worth once nobody is in training and test alike. Its networks are not to be used on people, and not to be handed "
    "on."
)


class EthicsNoteError(Exception):
    """Somebody asked for apparent sex, and did not accept the note."""


def require_accepted(attribute: str, is_accepted: bool) -> None:
    """Refuse to learn apparent sex before the note is accepted.

    Args:
        attribute: what is to be learnt.
        is_accepted: whether the configuration accepts the note.

    Raises:
        EthicsNoteError: with the note, and how it is accepted.
    """
    if attribute == "apparent_sex" and not is_accepted:
        how = f"Whoever accepts this sets {ACCEPTING_KEY}: true (docs/classification.md)."
        raise EthicsNoteError(f"{ETHICS_NOTE} {how}")
