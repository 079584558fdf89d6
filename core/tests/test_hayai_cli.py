"""The `hayai` command: what it prints, for people and for machines, and how it refuses."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from hayai.cli.main import app

if TYPE_CHECKING:
    from pathlib import Path

WORKING = 'tier = "local"\n[database]\nadapter = "postgres"\nurl = "${DATABASE_URL}"\n[bus]\nadapter = "nats"\n'


@pytest.fixture
def hayai(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The command in an empty folder, with none of this process's settings."""
    monkeypatch.chdir(tmp_path)
    for name in ("HAYAI_TIER", "HAYAI_DATA", "DATABASE_URL", "DATABASE_OWNER_URL", "NATS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(logging.getLogger(), "handlers", list(logging.getLogger().handlers))
    return CliRunner()


def test_the_version_is_the_distributions(hayai: CliRunner) -> None:
    """`--version` prints one line."""
    assert hayai.invoke(app, ["--version"]).stdout.startswith("hayai 0.")


def test_every_command_explains_itself(hayai: CliRunner) -> None:
    """`--help` of each command works and says something."""
    told = hayai.invoke(app, ["--help"])
    for command in ("dev", "run", "migrate", "doctor", "plugins", "new", "keys", "bus"):
        assert command in told.stdout
        assert hayai.invoke(app, [command, "--help"]).exit_code == 0


def test_plugins_are_listed_for_a_machine(hayai: CliRunner) -> None:
    """JSON with group, name, distribution, version and, where there is one, the problem."""
    rows = json.loads(hayai.invoke(app, ["plugins", "--json"]).stdout)
    nats = next(row for row in rows if (row["group"], row["name"]) == ("hayai.bus", "nats"))
    assert (nats["distribution"], nats["problem"]) == ("hayai", None)


def test_plugins_are_listed_for_a_person(hayai: CliRunner) -> None:
    """One line a plugin."""
    assert "hayai.bus" in hayai.invoke(app, ["plugins"]).stdout


@pytest.mark.parametrize("command", [["dev"], ["run"], ["migrate"], ["keys", "issue", "--tenant", "acme"]])
def test_without_a_tier_file_a_command_says_which_to_name(hayai: CliRunner, command: list[str]) -> None:
    """One sentence, exit status 1, no traceback."""
    refused = hayai.invoke(app, command)
    assert refused.exit_code == 1
    assert "--tier" in refused.stderr
    assert "Traceback" not in refused.output


def test_what_is_missing_in_the_environment_is_named(hayai: CliRunner, tmp_path: Path) -> None:
    """The key, the variable and where to get it, together."""
    (tmp_path / "tier.toml").write_text(WORKING)
    refused = hayai.invoke(app, ["migrate", "--tier", "tier.toml"])
    assert refused.exit_code == 1
    assert "DATABASE_URL" in refused.stderr


def test_a_role_that_there_is_not_is_refused_before_anything_is_opened(hayai: CliRunner) -> None:
    """The roles are listed."""
    refused = hayai.invoke(app, ["keys", "issue", "--tenant", "acme", "--role", "king"])
    assert refused.exit_code == 1
    assert "owner, staff, operator, auditor" in refused.stderr


def test_the_doctor_reports_wrong_settings_beside_what_is_well(hayai: CliRunner, tmp_path: Path) -> None:
    """Python, disk and plugins are still looked at; the settings are the finding; the exit status is 1."""
    (tmp_path / "tier.toml").write_text("tier = local")
    report = hayai.invoke(app, ["doctor", "--tier", "tier.toml", "--json"])
    findings = {each["part"]: each for each in json.loads(report.stdout)}
    assert report.exit_code == 1
    assert findings["python"]["ok"]
    assert "is not TOML" in findings["settings"]["says"]


def test_the_doctor_names_a_wrong_agent_and_a_wrong_business_while_nothing_runs(
    hayai: CliRunner, tmp_path: Path
) -> None:
    """Both are known without a server."""
    (tmp_path / "tier.toml").write_text(f'agents = ["acmee"]\nbusinesses = ["acme.toml", "none.toml"]\n{WORKING}')
    (tmp_path / "acme.toml").write_text('tennant = "acme"')
    report = hayai.invoke(app, ["doctor", "--tier", "tier.toml", "--json"])
    wrong = {each["part"]: each["says"] for each in json.loads(report.stdout) if not each["ok"]}
    assert "There is no 'acmee' in hayai.agents" in wrong["tier agents/acmee"]
    assert "did you mean 'tenant'?" in wrong["business acme.toml"]
    assert "none.toml" in wrong["business none.toml"]


def test_a_new_plugin_with_a_bad_name_is_refused(hayai: CliRunner) -> None:
    """The rule for names is in the sentence."""
    refused = hayai.invoke(app, ["new", "handler", "Bad Name"])
    assert refused.exit_code == 1
    assert refused.stderr.startswith("hayai: ")


def test_a_port_for_what_serves_none_is_refused(hayai: CliRunner, tmp_path: Path) -> None:
    """It is not left out in silence: nothing is written."""
    refused = hayai.invoke(app, ["new", "handler", "acme", "--port", "calendar"])
    assert (refused.exit_code, list(tmp_path.iterdir())) == (1, [])
    assert "Only an adapter serves a port" in refused.stderr


def test_a_new_plugin_lists_its_files(hayai: CliRunner, tmp_path: Path) -> None:
    """Five files, below the folder that was asked for."""
    (tmp_path / "agents").mkdir()
    written = hayai.invoke(app, ["new", "handler", "greeter", "--into", "agents"])
    assert written.exit_code == 0, written.output
    assert len(written.stdout.splitlines()) == 5


def test_a_new_plugin_lists_its_files_for_a_machine(hayai: CliRunner) -> None:
    """As JSON."""
    written = hayai.invoke(app, ["new", "agent", "greeter", "--json"])
    assert len(json.loads(written.stdout)["files"]) == 5


def test_the_doctor_says_how_to_start_what_does_not_run(hayai: CliRunner, tmp_path: Path) -> None:
    """In a checkout where nothing was started yet; not for a tier file of one's own."""
    (tmp_path / "deploy/tiers").mkdir(parents=True)
    for name in ("deploy/tiers/local.toml", "tier.toml"):
        (tmp_path / name).write_text(f"{WORKING}connect_deadline = 0.1\n")
    assert "WRONG local stack: No `hayai dev` runs on .hayai: start it with `make dev`" in _doctor(hayai)
    assert "local stack" not in _doctor(hayai, "--tier", "tier.toml")


def _doctor(hayai: CliRunner, *options: str) -> str:
    report = hayai.invoke(app, ["doctor", *options])
    assert report.exit_code == 1
    return report.stdout


def test_running_needs_no_variable_but_those_that_the_tier_file_names(hayai: CliRunner, tmp_path: Path) -> None:
    """HAYAI_DATA is set by `hayai run` itself."""
    (tmp_path / "tier.toml").write_text('tier = "local"\nchannels = ["web"]\n[channel.web]\ndata = "${HAYAI_DATA}"\n')
    refused = hayai.invoke(app, ["run", "--tier", "tier.toml"])
    assert refused.exit_code == 1
    assert "names no adapter for" in refused.stderr
    assert "HAYAI_DATA" not in refused.stderr
