"""The one Jinja environment of pages and cards, whose templates lie in ``templates``."""

import jinja2

from tfake.pages.wording import bytes_in_words, core_hours, plural, seconds_in_words


def template_environment() -> jinja2.Environment:
    """An environment in which a name that a template does not get is an error, and HTML alone is escaped.

    Returns:
        The environment, with the filters ``bytes``, ``seconds`` and ``core_hours`` and the function ``plural``; callers
        may add to theirs.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("tfake.pages"),
        autoescape=lambda name: name is not None and ".md." not in name,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"bytes": bytes_in_words, "seconds": seconds_in_words, "core_hours": core_hours}
    environment.globals["plural"] = plural
    # What a page's script lists is in the order of its keys.
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False}
    return environment
