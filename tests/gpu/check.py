"""Two minutes that tell whether everything here works on a GPU, and how fast: ``make gpu-check``.

``python tests/gpu/check.py FOLDER [--device cuda:1]`` writes FOLDER/check.json and prints it as a table; it needs no
data, no weights and no connection. Its exit status is 0 if every check held, 1 if one failed, 2 where there is no card.
``--device cpu`` goes the same way at a tiny size: what that tells is whether this script works.
"""

import argparse
import json
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent / "workflow_scripts"), str(Path(__file__).parent)]

import torch  # noqa: E402 - behind the tests' own path
from job_checks import compare_temperatures, measure_job  # noqa: E402
from sizes import Size  # noqa: E402
from training_checks import check_groups, check_moves, check_resuming, compare_losses, time_presets  # noqa: E402

from tfake.core import nvidia  # noqa: E402
from tfake.core.devices import describe_device, device_model, resolve_device  # noqa: E402
from tfake.training.training_settings import resolve_precision  # noqa: E402

NO_CARD = (
    "no card was checked: torch sees none here. --device cpu tells whether this script works, and nothing of a GPU"
)

# Name and function of each part; each gives figures, and raises AssertionError where something is wrong.
PARTS: dict[str, Callable[[Size, torch.device, Path], dict]] = {
    "losses against the CPU's": compare_losses,
    "killed and resumed": check_resuming,
    "from the CPU to the card and back": check_moves,
    "temperatures against the CPU's": compare_temperatures,
    "two ranks": check_groups,
    "thermalizing": measure_job,
    "presets": time_presets,
}


def check(folder: Path, device: torch.device, size: Size) -> dict:
    """Run every part; one that fails does not keep the others from running."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {"machine": describe_machine(device), "parts": {}}
    for name, part in PARTS.items():
        began = time.perf_counter()
        try:
            result = {"ok": True, **part(size, device, folder)}
        except Exception as error:
            traceback.print_exc()
            result = {"ok": False, "error": f"{type(error).__name__}: {error}"}
        found["parts"][name] = {**result, "seconds": round(time.perf_counter() - began, 1)}
    found["ok"] = all(part["ok"] for part in found["parts"].values())
    (folder / "check.json").write_text(json.dumps(found, indent=1) + "\n")
    return found


def describe_machine(device: torch.device) -> dict:
    """Driver, cards, torch and number formats."""
    is_card = device.type == "cuda"
    return {
        "device": describe_device(device),
        "model": device_model(device),
        "cards": torch.cuda.device_count(),
        "driver": nvidia.find_driver(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "capability": list(torch.cuda.get_device_capability(device)) if is_card else None,
        "precision": resolve_precision("auto", device),
    }


def as_table(found: dict) -> str:
    """A line a figure."""
    lines = [f"{key:36} {value}" for key, value in found["machine"].items()]
    for name, part in found["parts"].items():
        lines += ["", f"{name:36} {'ok' if part['ok'] else 'FAILED'}"]
        lines += [f"  {key:34} {value}" for key, value in part.items() if key != "ok"]
    return "\n".join(lines)


def main() -> int:
    """Parse, check, print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where its files and check.json go")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    options = parser.parse_args()
    device = resolve_device(options.device)
    if device.type != "cuda" and options.device != "cpu":
        print(NO_CARD)
        return 2
    found = check(options.folder, device, Size.of(device))
    print(as_table(found))
    if device.type != "cuda":
        print(f"\n{NO_CARD}")
    return 0 if found["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
