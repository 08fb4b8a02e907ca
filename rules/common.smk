"""What rules of every stage share: constraints of wildcards, and what jobs ask for.

Memory and time are said once, in the rule; and a GPU with its partition for those that run a network. The partitions and
the account are the profile's (profiles/slurm/profile.yaml).

NEEDS  PLAN
MAKES  nothing
"""

import os
import shutil
from functools import partial

from tfake.config import plan_rules
from tfake.config.plan_rules import in_key_order, minutes, one_of


wildcard_constraints:
    condition=one_of(PLAN.conditions),
    variant=one_of(PLAN.variants),
    shard=r"\d+",


_defaults = workflow.resource_settings.default_resources
# The default resource `gpu_partition` says that there are GPUs: whoever plans the jobs of a cluster may have none.
GPU_PARTITION = str(_defaults["gpu_partition"].raw).strip("'\"") if _defaults and "gpu_partition" in _defaults else None
if workflow.is_main_process:
    _has_gpu = GPU_PARTITION is not None or shutil.which("nvidia-smi") is not None
    _uses_gpu = plan_rules.uses_gpu(config["device"], _has_gpu)
    os.environ["TFAKE_USES_GPU"] = str(int(_uses_gpu))


# A job elsewhere reads these rules again, and must find the same ones whatever its machine has.
envvars:
    "TFAKE_USES_GPU",


USES_GPU = os.environ["TFAKE_USES_GPU"] == "1"
NETWORK_DEVICE = plan_rules.network_resources(USES_GPU, GPU_PARTITION)
NETWORK_THREADS = plan_rules.network_threads(USES_GPU)
memory_mb = partial(plan_rules.memory_mb, lambda rule: workflow.get_rule(rule).resources.get("gpu").value)
