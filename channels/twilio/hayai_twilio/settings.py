"""SMSSettings: the [channel.sms] table of a tier file."""

from __future__ import annotations

import re
from decimal import Decimal

from pydantic import Field, SecretStr, field_validator

from hayai.ports.base import Settings

_NUMBER = re.compile(r"(whatsapp:)?\+[1-9][0-9]{6,14}\Z")


class SMSSettings(Settings):
    """The account at Twilio, and whose numbers are whose."""

    account_sid: str = Field(
        pattern=r"^AC[0-9a-fA-F]{32}$", description="the account's SID, from the first page of Twilio's console"
    )
    auth_tokens: tuple[SecretStr, ...] = Field(
        default=(),
        description='the account\'s auth tokens, the newest first: ["secret:TWILIO_AUTH_TOKEN"]; requests signed with '
        "any of them are taken, and messages are sent with the first. Without one, nobody's requests are taken",
    )
    shared_keys: dict[str, SecretStr] = Field(
        default={}, description="shared keys that sign webhooks with SHA-256, by their id"
    )
    api_key: str | None = Field(
        default=None, pattern=r"^SK[0-9a-fA-F]{32}$", description="an API key to send with in place of the auth token"
    )
    api_secret: SecretStr | None = Field(default=None, description="the secret of `api_key`")
    numbers: dict[str, str] = Field(
        min_length=1,
        description='whose number is whose, as {"+15550100001" = "smile-dental"}; WhatsApp\'s as "whatsapp:+1..."',
    )
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^/?#\s]+(/[^?#\s]*[^/?#\s])?$",
        description="how Twilio reaches this door, as in https://sms.example; without it no reports of delivery are "
        "asked for, and signatures are checked against the address that a request names",
    )
    api_url: str = Field(
        default="https://api.twilio.com", pattern=r"^https?://[^/?#\s]+$", description="where Twilio's API is"
    )
    timeout: float = Field(default=10, gt=0, le=60, description="seconds that one request to Twilio may take")
    settling: float = Field(
        default=5, ge=0, le=60, description="seconds until a message whose answer was lost must be in Twilio's list"
    )
    messages_per_second: float = Field(
        default=1, gt=0, description="of each number, all replicas together; 1 for a long code, 3 for a toll-free one"
    )
    longest_wait: float = Field(
        default=60, gt=0, le=100, description="seconds that a message waits its turn before it is put back"
    )
    carrier_answers_stop: bool = Field(
        default=True,
        description="Twilio itself answers STOP, START and HELP on telephone numbers, as it does unless it was asked "
        "not to; false lets the agent `consent` answer them",
    )
    least_balance: Decimal | None = Field(
        default=None, description="an event and a warning once less than this is left of the account, in its currency"
    )

    @field_validator("numbers")
    @classmethod
    def _are_numbers(cls, numbers: dict[str, str]) -> dict[str, str]:
        if any(_NUMBER.match(each) is None for each in numbers):
            raise ValueError("a number is written as +15550100001, or whatsapp:+15550100001")
        return numbers
