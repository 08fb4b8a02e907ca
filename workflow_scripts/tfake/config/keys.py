"""How a key of the configuration is declared: once, with description, unit, bounds, default, and what it can change.

    class Store(Section):
        shard_images: int = key(32, "Images per shard.", ge=1)

The JSON schema, the reference in ``config/README.md`` and ``config.yaml`` are made from the declarations
(:mod:`tfake.config.generated`).
"""

from collections.abc import Sequence
from typing import Annotated, Any, Self, TypeVar, get_args

from annotated_types import Ge, Gt, Le, Len, MinLen
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, create_model, model_validator
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

#: Type of the errors that have a text of their own, see :func:`conflict`.
CONFLICT = "conflict"
#: The form of the names that users choose.
NAME_PATTERN = "^[a-z][a-z0-9_]*$"
# Units by the last word of a key's name.
_UNITS = {
    "celsius": "°C",
    "kelvin": "K",
    "pixels": "pixels",
    "degrees": "degrees",
    "percent": "%",
    "images": "images",
    "steps": "steps",
    "every": "steps",
    "share": "fraction",
}


def key(default: Any, description: str, *, neutral: bool = False, unit: str | None = None, **bounds: Any) -> Any:
    """Declare a key.

    Args:
        default: its value in ``config.yaml``; ``...`` where a block must state it.
        description: what it is; error messages show the first sentence.
        neutral: whether no result depends on it, so that a change of it makes nothing anew.
        unit: of its value; None where the name tells it (``blur_pixels``) or there is none.
        bounds: constraints as pydantic names them, such as ``ge`` and ``multiple_of``.
    """
    extra: JsonDict = {"x-neutral": True} if neutral else {}
    extra |= {"x-unit": unit} if unit else {}
    return Field(default, description=description, json_schema_extra=extra, **bounds)


def optional_key(description: str, *, unit: str | None = None, **bounds: Any) -> Any:
    """Declare a key that a block may leave out: it has no default, and is not in the completed config then.

    Args:
        description: as for :func:`key`.
        unit: as for :func:`key`.
        bounds: as for :func:`key`.
    """

    def extend(schema: dict[str, Any]) -> None:
        schema.pop("default")
        schema.update({"x-unit": unit} if unit else {})

    return Field(None, description=description, json_schema_extra=extend, **bounds)


def with_default(model: "type[Section]", name: str, default: Any) -> Any:
    """Declare an inherited key again, with another default.

    Args:
        model: the section that declares it.
        name: the key.
        default: its value in ``config.yaml``.
    """
    return FieldInfo.merge_field_infos(model.model_fields[name], default=default)


def changes_to(model: "type[Section]") -> "type[Section]":
    """Make a section with the keys of another one, of which a block states those alone that it changes.

    Args:
        model: the section; so are those inside it.

    Returns:
        A section named ``{model}Changes``, none of whose keys has a default.
    """
    fields: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        kind: Any = field.annotation
        parts = get_args(kind) or (kind,)
        for section in parts:
            if isinstance(section, type) and issubclass(section, Section):
                kind = changes_to(section) if len(parts) == 1 else changes_to(section) | None
        declared: Any = field.json_schema_extra or {}
        optional: Any = optional_key("", unit=declared.get("x-unit"))
        kept = FieldInfo.merge_field_infos(field, default=None, json_schema_extra=optional.json_schema_extra)
        fields[name] = (kind, kept)
    return create_model(f"{model.__name__}Changes", __base__=Section, __doc__=model.__doc__, **fields)


def unit_of(name: str) -> str:
    """The unit that a key's name ends with; empty where it names none."""
    return _UNITS.get(name.rpartition("_")[2], "")


def conflict(text: str, key: str | None = None) -> PydanticCustomError:
    """The error for a validator to raise where values do not agree.

    Args:
        text: what is expected, for the message says first what the value is; of a whole section, the whole fault.
        key: the key at fault, where a section is validated.
    """
    return PydanticCustomError(CONFLICT, "{text}", {"text": text, "key": key})


class Section(BaseModel):
    """A block of the configuration. It refuses unknown keys, and values of another type than declared."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    @model_validator(mode="after")
    def _fits_alternatives(self) -> Self:
        """Hold the block to the combinations of keys that its schema offers as ``oneOf`` or ``anyOf``."""
        extra: Any = self.model_config.get("json_schema_extra", {})
        for keyword, alternatives in extra.items():
            fitting = sum(_fits(alternative, self.model_fields_set) for alternative in alternatives)
            if fitting == 0 or (fitting > 1 and keyword == "oneOf"):
                found = [name for name in type(self).model_fields if name in self.model_fields_set]
                kinds = "; or ".join(", ".join(alternative["required"]) for alternative in alternatives)
                raise conflict(f"has {', '.join(found) or 'nothing'}; expected {kinds}")
        return self


def _fits(alternative: dict[str, Any], keys: set[str]) -> bool:
    refused = alternative.get("not", {})
    forbidden = {name for part in refused.get("anyOf", [refused]) for name in part.get("required", ())}
    return keys.issuperset(alternative["required"]) and keys.isdisjoint(forbidden)


def _rising(values: Sequence[float]) -> Sequence[float]:
    if values[0] > values[1]:
        raise conflict("expected the lower value first")
    return values


def _unique(values: Sequence) -> Sequence:
    if any(value in values[:place] for place, value in enumerate(values)):
        raise PydanticCustomError("not_unique", "none twice")
    return values


Item = TypeVar("Item")

#: Kinds of values that several keys hold.
Text = Annotated[str, MinLen(1)]
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
Count = Annotated[int, Ge(1)]
Natural = Annotated[int, Ge(0)]
Fraction = Annotated[float, Ge(0), Le(1)]
Positive = Annotated[float, Gt(0)]
Celsius = Annotated[float, Ge(-60), Le(60)]
Pair = Annotated[list[Item], Len(2, 2)]
Range = Annotated[list[Item], Len(2, 2), AfterValidator(_rising)]
Unique = Annotated[list[Item], AfterValidator(_unique), Field(json_schema_extra={"uniqueItems": True})]
