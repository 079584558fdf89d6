"""`hayai events`: what it says of the installed plugins, without a server."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from hayai.cli.main import app

if TYPE_CHECKING:
    from pathlib import Path

TIER = 'tier = "local"\nchannels = ["web"]\nagents = ["receptionist"]\n'


@pytest.fixture
def hayai(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The command beside a tier file with a channel and an agent."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HAYAI_DATA", raising=False)
    monkeypatch.setenv("HAYAI_TIER", "tier.toml")
    monkeypatch.setattr(logging.getLogger(), "handlers", list(logging.getLogger().handlers))
    (tmp_path / "tier.toml").write_text(TIER)
    return CliRunner()


def test_every_version_is_listed_with_who_publishes_and_who_reads_it(hayai: CliRunner) -> None:
    """A message goes in by the channel's door, and the receptionist reads it."""
    told = hayai.invoke(app, ["events", "schema"]).stdout
    assert "message.received.v1\n  published by hayai-web" in told
    assert "(receptionist_answer)" in told


def test_one_event_has_its_json_schema(hayai: CliRunner) -> None:
    """Named with or without its version."""
    for name in ("reply.ready", "reply.ready.v1"):
        found = json.loads(hayai.invoke(app, ["events", "schema", name, "--json"]).stdout)
        assert list(found) == ["reply.ready.v1"]
        assert found["reply.ready.v1"]["schema"]["properties"]["text"]["x-personal"] is True


def test_an_event_that_nobody_knows_is_refused(hayai: CliRunner) -> None:
    """One sentence, exit status 1."""
    refused = hayai.invoke(app, ["events", "schema", "cow.mooed"])
    assert refused.exit_code == 1
    assert "no plugin of this install publishes or reads cow.mooed" in refused.stderr


def test_the_installed_plugins_agree(hayai: CliRunner) -> None:
    """`check` says how many versions fit."""
    told = hayai.invoke(app, ["events", "check"])
    assert told.exit_code == 0
    assert "versions of events fit each other" in told.stdout


def test_a_plugin_that_does_not_load_is_left_out_and_named(hayai: CliRunner, tmp_path: Path) -> None:
    """The others are listed all the same."""
    (tmp_path / "tier.toml").write_text(TIER.replace('"receptionist"', '"receptionist", "ghost"'))
    told = hayai.invoke(app, ["events", "schema"])
    assert "left out: There is no 'ghost'" in told.stderr
    assert "message.received.v1" in told.stdout
