"""The lock file constraints.txt, and the env files that repeat its pins.

Snakemake copies an env file before conda reads it, and builds it anew when its own text has changed: a reference to the
lock file would point nowhere, and hide a change of it. So the pins stand in both, and ``make lock`` writes both.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "constraints.txt"
ENVS = sorted((ROOT / "envs").glob("*.yaml"))
#: Pins that differ on purpose: mediapipe 1.x cannot be where 0.10 is, and needs numpy 2.
APART = {"face-landmarker": {"mediapipe", "numpy", "opencv-contrib-python"}}
#: What a virtual environment begins with.
_TOOLS = ("pip", "setuptools", "wheel")
_PIN = re.compile(r"(?m)^( +- )([\w.-]+)==(\S+)$")


def canonical(package: str) -> str:
    """A package's name as indices compare it."""
    return re.sub(r"[-_.]+", "-", package).lower()


def read_lock() -> dict[str, str]:
    """Versions by canonical name."""
    pins = (line.split("==") for line in LOCK.read_text().splitlines() if "==" in line)
    return {canonical(package): version for package, version in pins}


def pins_of(env: Path) -> dict[str, str]:
    """Versions by name, of an env file's pip part."""
    return {package: version for _, package, version in _PIN.findall(env.read_text())}


def with_lock(env: Path, lock: dict[str, str]) -> str:
    """An env file's text with the lock's pins."""
    apart = APART.get(env.stem, set())
    return _PIN.sub(
        lambda pin: pin[0] if pin[2] in apart else f"{pin[1]}{pin[2]}=={lock[canonical(pin[2])]}", env.read_text()
    )


def write_lock() -> None:
    """Renew the lock file from the packages of this environment, and the env files from it."""
    listed = [
        sys.executable,
        "-m",
        "pip",
        "list",
        "--format=freeze",
        "--exclude-editable",
        "--disable-pip-version-check",
    ]
    pins = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.splitlines()
    comments = [line for line in LOCK.read_text().splitlines() if line.startswith("#")]
    kept = sorted((pin for pin in pins if pin.split("==")[0] not in _TOOLS), key=str.lower)
    LOCK.write_text("\n".join([*comments, *kept]) + "\n")
    for env in ENVS:
        env.write_text(with_lock(env, read_lock()))


if __name__ == "__main__":
    write_lock()
