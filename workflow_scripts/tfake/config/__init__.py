"""The configuration: read as its writer meant it, held to the schema, and resolved to what the rules ask for.

Snakemake merges the files; what happens then is here, in plain Python that needs PyYAML and jsonschema alone, for it
runs where the workflow is planned. :func:`tfake.config.loading.complete_config` is the way in.
"""
