"""The event as a peer that knows nothing of the product reads it."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel


class Data(BaseModel):
    """The event's own fields."""

    person: str
    service: str
    starts_at: str
    note: str


class CloudEvent(BaseModel):
    """The envelope's fields that the product reads too."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    time: AwareDatetime
    subject: str
    tenant: str
    data: Data
