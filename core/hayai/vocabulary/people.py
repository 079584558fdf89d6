"""People: when one of ours has to take over."""

from hayai.event import Event


class HandedToHuman(Event, type="conversation.handed", version=1):
    """An agent asks a person of the business to take a conversation over."""

    channel: str
    person: str
    reason: str
    """Why, in the agent's words; never the customer's."""
