"""`hayai events`: what it says of the installed plugins, without a server."""

from __future__ import annotations

import json
import logging
import sys
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from hayai.cli.main import app

if TYPE_CHECKING:
    from collections.abc import Iterator
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


def test_a_version_that_is_in_use_is_not_forgotten(hayai: CliRunner) -> None:
    """The next start would refuse it."""
    refused = hayai.invoke(app, ["events", "forget", "reply.ready.v1"])
    assert refused.exit_code == 1
    assert "reply.ready.v1 is published or read by this install" in refused.stderr


def test_a_plugin_that_does_not_load_is_left_out_and_named(hayai: CliRunner, tmp_path: Path) -> None:
    """The others are listed all the same."""
    (tmp_path / "tier.toml").write_text(TIER.replace('"receptionist"', '"receptionist", "ghost"'))
    told = hayai.invoke(app, ["events", "schema"])
    assert "left out: There is no 'ghost'" in told.stderr
    assert "message.received.v1" in told.stdout


PUBLISHER = """
from hayai.event import Event
from hayai.handlers import Context, Handlers
from hayai.vocabulary.messages import MessageReceived

class Graded(Event, type="visit.graded", version=2):
    stars: int

agent = Handlers("grader")

@agent.on(MessageReceived)
async def grade(received: MessageReceived, context: Context) -> Graded:
    return Graded(stars=5)
"""

READER = """
from hayai.event import Event
from hayai.handlers import Context, Handlers

class Graded(Event, type="visit.graded", version=1):
    stars: int

agent = Handlers("thanker")

@agent.on(Graded)
async def thank(graded: Graded, context: Context) -> None:
    pass
"""


@pytest.fixture
def disagreeing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two strangers' agents, installed as pip leaves them behind: one publishes v2, the other reads v1."""
    known = set(sys.modules)
    for name, source in (("grader", PUBLISHER), ("thanker", READER)):
        metadata = tmp_path / name / f"acme_{name}-1.2.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: acme-{name}\nVersion: 1.2\n")
        (metadata / "entry_points.txt").write_text(f"[hayai.agents]\n{name} = acme_{name}:agent\n")
        (tmp_path / name / f"acme_{name}.py").write_text(source)
        monkeypatch.syspath_prepend(str(tmp_path / name))
    (tmp_path / "tier.toml").write_text('tier = "local"\nagents = ["grader", "thanker"]\n')
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield
    for module in set(sys.modules) - known:
        del sys.modules[module]


def test_plugins_that_do_not_agree_are_refused_with_both_names_and_the_cure(
    hayai: CliRunner, disagreeing: None
) -> None:
    """Before anything runs, one sentence and exit status 1; the doctor says the same."""
    refused = hayai.invoke(app, ["events", "check"])
    assert refused.exit_code == 1
    sentence = (
        "acme-grader 1.2 (grader_grade) publishes visit.graded.v2, and acme-thanker 1.2 (thanker_thank) reads v1 only: "
        "upgrade acme-thanker 1.2 to a release that reads v2, or go back to a release of acme-grader 1.2 that "
        "publishes v1."
    )
    assert refused.stderr == f"hayai: {sentence}\n"
    findings = json.loads(hayai.invoke(app, ["doctor", "--json"]).stdout)
    (found,) = [each for each in findings if each["part"] == "contracts"]
    assert (found["ok"], found["says"]) == (False, sentence)
