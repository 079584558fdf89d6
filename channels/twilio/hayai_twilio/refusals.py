"""Refusals: what Twilio's numbers for what went wrong mean for the next try.

https://www.twilio.com/docs/api/errors lists them. A POST that was answered with 5xx may have been carried out.
"""

from __future__ import annotations

from hayai.errors import HayaiError, OutcomeUnclear, PermanentError, RateLimited, Unavailable


class RecipientOptedOut(PermanentError):
    """The customer has said STOP to this number; the carrier lets nothing through until they say START."""


class RecipientUnreachable(PermanentError):
    """No message can reach that address."""


class TextRefused(PermanentError):
    """Twilio does not take the message, and will not the next time either."""


OPTED_OUT = 21610
_UNREACHABLE = {
    21211: "it is no telephone number",
    21214: "it cannot be reached",
    21217: "it is no telephone number",
    21408: "this account may not send to its country",
    21608: "a trial account sends to verified numbers only",
    21612: "no route leads there from this number",
    21614: "it is no mobile number",
    63003: "it has no account on that network",
}
_LATER = {20429, 14107, 21611, 30001, 30022, 63018}
"""Too many requests, a queue that is full, a rate of the carrier's."""
_OUR_ACCOUNT = {20003, 20005, 20404, 21606, 30002, 30034}
"""Credentials, a suspended account, a number that is not ours or not registered: an operator can mend it."""
_REASONS = {
    "30001": "the carrier's queue was full",
    "30002": "the account was suspended",
    "30003": "the device was unreachable",
    "30004": "the customer or their carrier blocks our messages",
    "30005": "the number is unknown",
    "30006": "the number is a landline, or its carrier cannot be reached",
    "30007": "the carrier filtered the message",
    "30008": "the carrier gave no reason",
    "30034": "the number is not registered for business messages",
    "21610": "the customer has said STOP",
    "63016": "WhatsApp takes free words only within a day of what the customer wrote last",
}
_PASSING = frozenset({"", "30001", "30003", "30008"})
_SERVERS_OWN = 500
_TOO_MANY = 429


def refusal(status: int, code: int | None) -> HayaiError:
    """What the HTTP status and Twilio's code of an answer mean, for sending one message."""
    told = f"Twilio said {status} ({code or 'without a code'})"
    if status >= _SERVERS_OWN:
        return OutcomeUnclear(f"{told}: whether the message was sent is asked at the next try.")
    if status == _TOO_MANY or code in _LATER:
        return RateLimited(f"{told}: too much at once; it is tried again.")
    if code == OPTED_OUT:
        return RecipientOptedOut(f"{told}: the customer has said STOP, and nothing may be sent until they say START.")
    if code in _UNREACHABLE:
        return RecipientUnreachable(f"{told}: the address cannot be written to, {_UNREACHABLE[code]}.")
    if code in _OUR_ACCOUNT or status in {401, 403}:
        return Unavailable(
            f"{told}: see that the account, its secrets and its numbers under the channel are what Twilio has; what "
            "waits is sent then."
        )
    return TextRefused(f"{told}: look the code up at twilio.com/docs/api/errors/{code or ''}.")


def reason(code: str) -> str:
    """What the code in a report means, in a few words."""
    return _REASONS.get(code, "Twilio gives no words for it here" if code else "no reason was given")


def is_permanent(code: str) -> bool:
    """Whether the next message to the same address fails the same way."""
    return code not in _PASSING
