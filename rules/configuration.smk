"""The configuration: Snakemake has merged it; here it is checked and completed, before any rule is made.

NEEDS  config.yaml and whatever --configfile and --config say
MAKES  .snakemake/run.lock, empty; PLAN answers what the rules ask
"""

import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

# Rules that studies take up (use rule … as …) name their files from here: Snakemake would look beside the study.
REPOSITORY = Path(str(workflow.current_basedir)).parent
# Planning needs the library's part that reads configs, whether or not the library is installed where Snakemake is.
sys.path.insert(0, str(REPOSITORY / "workflow_scripts"))

from tfake.config.completion import complete_config
from tfake.config.faults import ConfigError, stop_at
from tfake.config.plan import Plan
from tfake.config.preflight import check_folders, find_dated_ahead, hold_run_lock
from tfake.variants.kinds import KINDS

try:
    # Jobs leave the lock alone: where a network disk does not share the kernel's locks, they would find it free.
    RUN_LOCK = hold_run_lock() if workflow.is_main_process else None
    check_folders(REPOSITORY, Path.cwd())
    config.update(complete_config(config, workflow.config_settings.configfiles))
    PLAN = Plan(config, KINDS)
    # Jobs leave dates and files alone, too: clocks of a cluster's nodes differ, and what was planned is to be made.
    if workflow.is_main_process:
        stop_at(find_dated_ahead(config, Path.cwd()))
        for _warning in PLAN.check_files(dry_run=workflow.output_settings.dryrun):
            logger.warning(_warning)
except ConfigError as error:
    # Without a traceback: nothing in this file is at fault.
    raise WorkflowError(str(error)) from None
