"""Data beside a page, which its ``loading.js`` loads when it needs them.

A page opened from the disk may not fetch its neighbours, but it may run scripts that lie beside it; so each file calls
``tfakeData(name, data)``.
"""

import json
from pathlib import Path
from typing import Any

#: By the arrival of this file a page knows that its data lie beside it.
HERE = "here"


def write_data(folder: Path, name: str, data: Any) -> int:
    """Write JSON values as ``{name}.js``, and return how many bytes that were.

    Raises:
        ValueError: a number is not finite.
    """
    text = f"tfakeData({json.dumps(name)},{json.dumps(data, separators=(',', ':'), allow_nan=False)});\n"
    return (folder / f"{name}.js").write_text(text, encoding="ascii")
