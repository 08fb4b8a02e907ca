"""The configuration: models of every key, and what makes a merged config one that the rules can use.

Snakemake merges the files; what happens then is here, in Python that needs PyYAML and pydantic alone, which Snakemake
brings, for it runs where the workflow is planned. :func:`tfake.config.completion.complete_config` is the way in.
"""
