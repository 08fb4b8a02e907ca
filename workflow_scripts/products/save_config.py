"""Save the effective configuration beside the results it made."""

from pathlib import Path

import yaml


def save_config(path: str, config: dict) -> None:
    """Write the configuration, defaults and overrides merged, as YAML with sorted keys."""
    Path(path).write_text(yaml.safe_dump(config, sort_keys=True, allow_unicode=True))


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    save_config(path=snakemake.output.config, config=snakemake.params.config)
