"""Appointments: booked, moved, cancelled. Names and telephone numbers stay in the calendar."""

from pydantic import AwareDatetime

from hayai.event import Event


class AppointmentBooked(Event, type="appointment.booked", version=1):
    """A person's appointment is confirmed."""

    appointment: str
    person: str
    service: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime


class AppointmentMoved(Event, type="appointment.moved", version=1):
    """An appointment is at another time now; the old slot is free."""

    appointment: str
    person: str
    service: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    moved_from: AwareDatetime


class AppointmentCancelled(Event, type="appointment.cancelled", version=1):
    """An appointment is off; its slot is free."""

    appointment: str
    person: str
    service: str
    starts_at: AwareDatetime
