"""ChatSettings: what an operator may decide about the web chat."""

from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from hayai.ports.base import Settings
from hayai_web.origin import as_browsers_write


class ChatSettings(Settings):
    """[channel.web] in the tier file."""

    session_key: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="at least 32 random characters that sign visitors' sessions, the same on every replica: "
        "secret:NAME; left out, a key is made once and kept in `data`",
    )
    former_session_key: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="the `session_key` before this one: sessions signed with it still hold, and are signed anew",
    )
    data: Path = Field(default=Path(".hayai"), description="the folder that keeps a session key made here")
    session_days: int = Field(default=30, ge=1, le=365, description="days after which an unused session ends")
    message_length: int = Field(default=2000, ge=1, le=10_000, description="characters in one message")
    messages_per_minute: int = Field(default=20, ge=1, description="messages that one visitor may send")
    messages_per_minute_per_address: int = Field(
        default=60, ge=1, description="messages that may come from one network address, which a whole office shares"
    )
    connections_per_minute_per_address: int = Field(
        default=300, ge=1, description="chats that may be opened from one network address, reconnections included"
    )
    sockets_per_visitor: int = Field(default=8, ge=1, description="open tabs of one visitor")
    sockets_per_address: int = Field(default=100, ge=1, description="open chats from one network address")
    origins: tuple[str, ...] = Field(
        default=(), description='home pages that may embed the chat, as in "https://smile.example"; "*" for any'
    )

    @field_validator("origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(each if each == "*" else as_browsers_write(each) for each in origins)
