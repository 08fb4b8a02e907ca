"""The one Jinja environment of pages and cards, whose templates lie in ``templates``."""

import jinja2


def template_environment() -> jinja2.Environment:
    """An environment in which a name that a template does not get is an error, and HTML alone is escaped.

    Returns:
        The environment; callers may add filters and globals to theirs.
    """
    return jinja2.Environment(
        loader=jinja2.PackageLoader("tfake.pages"),
        autoescape=lambda name: name is not None and ".md." not in name,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
