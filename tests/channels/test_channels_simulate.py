"""`hayai simulate sms` beside a running `hayai dev`, as somebody uses both who tries it out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hayai.testing.dev import DevServer
from hayai.testing.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
TOKEN = "an-auth-token-that-was-invented-1"
SMS = """
[channel.sms]
account_sid = "AC00000000000000000000000000000001"
auth_tokens = ["secret:TWILIO_AUTH_TOKEN"]
numbers = {{ "+15550100001" = "harbor-dental" }}
{where}
"""


@pytest.fixture
def tier(tmp_path: Path) -> Path:
    """The laptop's tier file with the text channel, set up for the simulator."""
    text = (ROOT / "deploy/tiers/local.toml").read_text().replace('channels = ["web"]', 'channels = ["web", "sms"]')
    file = tmp_path / "tier.toml"
    file.write_text(text + SMS.format(where=f'api_url = "http://127.0.0.1:{free_port()}"'))
    return file


@pytest.fixture
def dev(tier: Path) -> Iterator[DevServer]:
    """`hayai dev` with that tier file."""
    server = DevServer(tier, environment={"HAYAI_SECRET_TWILIO_AUTH_TOKEN": TOKEN})
    try:
        server.start()
        yield server
    finally:
        server.remove()


def simulate(tier: Path, typed: str, *more: str, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
    """The command, with what is typed."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("HAYAI_", "DATABASE_"))}
    places = {"NATS_URL": "nats://127.0.0.1:1", "DATABASE_URL": "postgres://x", "DATABASE_OWNER_URL": "postgres://x"}
    command = [sys.executable, "-m", "hayai.cli.main", "simulate", "sms", "--tier", str(tier), *more]
    environment = {**others, **places, "HAYAI_SECRET_TWILIO_AUTH_TOKEN": token}
    return subprocess.run(
        command, env=environment, input=typed, capture_output=True, text=True, timeout=60, check=False, cwd=tier.parent
    )


def test_a_text_is_answered_in_the_terminal(dev: DevServer, tier: Path) -> None:
    """By the receptionist, from the number that was texted; a token that is another one is told of."""
    told = simulate(tier, "What are your opening hours?\n", "--door", dev.url)
    assert told.returncode == 0, told.stderr
    assert "+15550100001: Hi, this is the front desk of Harbor Street Dental." in told.stdout
    refused = simulate(tier, "Hello\n", "--door", dev.url, token="x" * 32)
    assert refused.returncode == 1
    assert "the signature was refused" in refused.stderr


def test_what_is_wrong_is_said_in_a_sentence(tier: Path) -> None:
    """Nobody there, or a channel that is set up for Twilio itself."""
    gone = simulate(tier, "Hello\n", "--door", f"http://127.0.0.1:{free_port()}")
    assert (gone.returncode, "is Hayai running?" in gone.stderr) == (1, True)
    tier.write_text(tier.read_text().replace("api_url", "# api_url"))
    real = simulate(tier, "Hello\n")
    assert (real.returncode, "set `api_url`" in real.stderr) == (1, True)
