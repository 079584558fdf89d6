"""Event, a frozen fact in the past tense, and Personal, the mark of a field that holds a person's data."""

from __future__ import annotations

import re
from functools import cache
from typing import Annotated, Any, ClassVar, TypeVar, get_args

from pydantic import BaseModel, ConfigDict

from hayai.errors import VersionUnknown

_WIRE_NAME = re.compile(r"[a-z][a-z0-9]*(\.[a-z][a-z0-9]*)+\Z")
_FieldType = TypeVar("_FieldType")


class PersonalMark:
    """Marks a field as a person's data: sealed by the codec, hidden from every repr."""


Personal = Annotated[_FieldType, PersonalMark()]
"""`text: Personal[str]`: what a person said or is travels in such fields only."""


class Event(BaseModel):
    """A fact that happened: frozen, named in the past tense, versioned.

    Subclass with the wire name and the version given outright, so that renaming a class cannot change the wire:
    `class AppointmentBooked(Event, type="appointment.booked", version=1)`.
    """

    # The input of an event that does not fit may be a person's words, so an error's text does not repeat it.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    type: ClassVar[str] = ""
    version: ClassVar[int] = 0
    _wire_type: ClassVar[str] = ""

    def __init_subclass__(cls, *, type: str, version: int = 1, **options: Any) -> None:  # noqa: A002 - CloudEvents' word
        """Take the wire name and the version from the class statement; a subclass inherits neither."""
        super().__init_subclass__(**options)
        if _WIRE_NAME.match(type) is None or version < 1:
            raise TypeError(f'{cls.__name__} needs type="noun.verbed" (lower case, dotted) and version=1 or higher.')
        cls.type, cls.version, cls._wire_type = type, version, f"{type}.v{version}"

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        """Swallow the class statement's arguments: `__init_subclass__` has read them."""

    @classmethod
    def wire_type(cls) -> str:
        """The type on the wire, `noun.verbed.vN`."""
        return cls._wire_type

    @classmethod
    def upcast(cls, data: dict[str, Any], version: int) -> dict[str, Any]:
        """The data of an older `version`, as this version would have it; override when you raise `version`.

        Raises VersionUnknown where no way leads from that version to this one.
        """
        del data
        raise VersionUnknown(
            f"{cls.type}.v{version} cannot be read here: this install knows v{cls.version}. Install the release that "
            f"publishes v{version}, or give {cls.__name__} an upcast() from it."
        )

    def __repr_args__(self) -> Any:
        """Every field but the personal ones, which show as `***`: an event may end up in a log line."""
        hidden = personal_fields(type(self))
        return [(name, "***" if name in hidden else value) for name, value in super().__repr_args__()]


@cache
def personal_fields(model: type[BaseModel]) -> frozenset[str]:
    """The names of the fields of `model` that are marked Personal, or hold something that is, however deep."""
    return _personal_fields(model, frozenset())


def _personal_fields(model: type[BaseModel], around: frozenset[type]) -> frozenset[str]:
    return frozenset(
        name
        for name, field in model.model_fields.items()
        if any(_is_personal(each, around | {model}) for each in (field.annotation, *field.metadata))
    )


def _is_personal(part: Any, around: frozenset[type]) -> bool:
    """Whether `part`, an annotation or what belongs to one, is the mark or holds it; `around` are models being read."""
    if isinstance(part, type) and issubclass(part, BaseModel):
        return part not in around and bool(_personal_fields(part, around))
    return isinstance(part, PersonalMark) or any(_is_personal(each, around) for each in get_args(part))
