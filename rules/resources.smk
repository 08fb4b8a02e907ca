"""What jobs ask for: memory and time, each said once, in the rule; and a GPU with its partition for those that run a network.

The partitions and the account are the profile's (profiles/slurm/profile.yaml).
"""

import os
import shutil

_defaults = workflow.resource_settings.default_resources
# The default resource `gpu_partition` says that there are GPUs: whoever plans the jobs of a cluster may have none.
GPU_PARTITION = str(_defaults["gpu_partition"].raw).strip("'\"") if _defaults and "gpu_partition" in _defaults else None
if workflow.is_main_process:
    _has_gpu = GPU_PARTITION is not None or shutil.which("nvidia-smi") is not None
    _uses_gpu = config["device"] == "cuda" or (config["device"] == "auto" and _has_gpu)
    os.environ.update(TFAKE_USES_GPU=str(int(_uses_gpu)))


# A job elsewhere reads these rules again, and must find the same ones whatever its machine has.
envvars:
    "TFAKE_USES_GPU",


USES_GPU = os.environ["TFAKE_USES_GPU"] == "1"
# Of a rule that runs a network.
NETWORK_DEVICE = {"gpu": int(USES_GPU)}
if USES_GPU and GPU_PARTITION is not None:
    NETWORK_DEVICE["slurm_partition"] = GPU_PARTITION
# Beside a GPU, they decode images and make batches. Training a network as small as the default gains little from a second
# thread: on a CPU, jobs lie side by side.
NETWORK_THREADS = 8 if USES_GPU else 1


def memory_mb(megabytes):
    """Memory of a job's one process; a training has a process a GPU, and each attempt asks for more."""

    def ask(wildcards, attempt, rulename):
        gpus = workflow.get_rule(rulename).resources.get("gpu").value
        return megabytes * max(1, gpus or 1) * attempt

    return ask


def minutes(count):
    """Time of a job; each attempt asks for more."""
    return lambda wildcards, attempt: count * attempt
