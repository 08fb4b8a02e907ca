"""The configuration: Snakemake has merged it; here it is checked and completed, before any rule is made.

NEEDS  config.yaml and whatever --configfile and --config say
MAKES  nothing; PLAN answers what the rules ask
"""

import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

REPOSITORY = Path(str(workflow.current_basedir)).parent
# Planning needs the library's part that reads configs, whether or not the library is installed where Snakemake is.
sys.path.insert(0, str(REPOSITORY / "workflow_scripts"))

from tfake.config.checks import EVERY_ROOM
from tfake.config.completion import complete_config
from tfake.config.faults import ConfigError, stop_at
from tfake.config.neutral import without_neutral
from tfake.config.plan import Plan
from tfake.config.preflight import check_compared, check_folders, find_dated_ahead

try:
    check_folders(REPOSITORY, Path.cwd())
    config.update(complete_config(config, workflow.config_settings.configfiles))
    # Jobs leave the dates alone: clocks of a cluster's nodes differ.
    if workflow.is_main_process:
        stop_at(find_dated_ahead(config, Path.cwd()))
except ConfigError as error:
    # Without a traceback: nothing in this file is at fault.
    raise WorkflowError(str(error)) from None

PLAN = Plan(config)
