"""An ``nvidia-smi`` that lists cards which are not there."""

import os

LISTING = """\
GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-11111111-aaaa)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-22222222-bbbb)
  MIG 3g.20gb     Device  0: (UUID: MIG-22222222-0001)
  MIG 3g.20gb     Device  1: (UUID: MIG-22222222-0002)
GPU 2: NVIDIA H100 80GB HBM3 (UUID: GPU-33333333-cccc)
"""


def install(folder, monkeypatch, listing=LISTING, driver="535.104.05", status=0):
    """Put one first on the PATH, for this process and those that it starts."""
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    program = bin_folder / "nvidia-smi"
    program.write_text(
        f"#!/bin/sh\ncase $1 in -L) cat <<END\n{listing}END\n;; *) echo {driver};; esac\nexit {status}\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_folder}:{os.environ['PATH']}")
