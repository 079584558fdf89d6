"""Plugins: found, checked and loaded; whatever is wrong with one is a sentence, and takes no other down."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from hayai.errors import PluginError
from hayai.handlers import Handlers
from hayai.plugins import installed, load, load_all, load_object, names
from hayai.ports.secrets import Secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Install = Callable[..., None]

GROUP = "hayai.secrets"
GOOD = """
from hayai.testing.memory_secrets import MemorySecrets

class Good(MemorySecrets):
    pass
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a distribution of one module, as pip leaves it behind: metadata, entry point, source."""
    known = set(sys.modules)

    def installed_as(distribution: str, name: str, source: str, *, target: str = "Good", group: str = GROUP) -> None:
        site = tmp_path / distribution
        metadata = site / f"{distribution}-1.2.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
        (metadata / "entry_points.txt").write_text(f"[{group}]\n{name} = {distribution}:{target}\n")
        (site / f"{distribution}.py").write_text(source)
        monkeypatch.syspath_prepend(str(site))

    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield installed_as
    for module in set(sys.modules) - known:
        del sys.modules[module]


def refusal(name: str, kind: type[Any] = Secrets, group: str = GROUP) -> str:
    """The sentence with which loading `name` is refused."""
    with pytest.raises(PluginError) as refused:
        load(group, name, kind)
    return str(refused.value)


def test_a_plugin_is_found_and_loaded(install: Install) -> None:
    """Its name, distribution and version are known before it is imported, and its class after."""
    install("strange_vault", "strange", GOOD)
    (found,) = [each for each in names(GROUP) if each.name == "strange"]
    assert (found.distribution, found.version, found.target) == ("strange_vault", "1.2", "strange_vault:Good")
    assert "strange_vault" not in sys.modules
    assert load(GROUP, "strange", Secrets).__name__ == "Good"


def test_what_was_installed_a_moment_ago_is_there(install: Install) -> None:
    """No list is kept: a plugin counts as soon as its metadata stands."""
    assert "late" in refusal("late")
    install("late_vault", "late", GOOD)
    assert load(GROUP, "late", Secrets)
    assert "late" in [each.name for each in installed()[GROUP]]


def test_an_object_is_loaded_as_it_is(install: Install) -> None:
    """An agent is an object, and one that counts as false is not mistaken for none."""
    quiet = (
        "from hayai.handlers import Handlers\nclass Quiet(Handlers):\n    __len__ = lambda self: 0\nquiet = Quiet('q')"
    )
    install("quiet_agent", "quiet", quiet, target="quiet", group="hayai.agents")
    install("odd_agent", "odd", "odd = 3", target="odd", group="hayai.agents")
    assert load_object("hayai.agents", "quiet", Handlers).name == "q"
    with pytest.raises(
        PluginError, match=r"is no Handlers: let its entry point lead to an instance of hayai\.handlers"
    ):
        load_object("hayai.agents", "odd", Handlers)


def test_a_missing_plugin_is_named_with_its_nearest_neighbour(install: Install) -> None:
    """A slip of the pen is met with the name that was probably meant."""
    install("strange_vault", "strange", GOOD)
    assert "There is no 'stange' in hayai.secrets: did you mean 'strange'?" in refusal("stange")


def test_a_missing_plugin_without_neighbour_is_named_with_its_package() -> None:
    """Otherwise the sentence says by which name such a package goes, and what is there."""
    sentence = refusal("qqqqq")
    assert "install the package that brings it, hayai-qqqqq by custom" in sentence
    assert "dotenv (hayai-dotenv" in sentence


def test_a_doubled_name_is_refused_before_anything_is_imported(install: Install) -> None:
    """A stray dependency must not take the name of the secrets over: both are named, neither runs."""
    install("first_vault", "twin", GOOD)
    install("second_vault", "twin", GOOD)
    sentence = refusal("twin")
    assert "first_vault 1.2" in sentence
    assert "second_vault 1.2" in sentence
    assert not {"first_vault", "second_vault"} & set(sys.modules)


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("import no_such_module", "ModuleNotFoundError about 'no_such_module' at broken_vault, line 1"),
        ("\nassert False, 'hunter2'", "AssertionError at broken_vault, line 2"),
        ("raise SystemExit('hunter2')", "SystemExit at broken_vault, line 1"),
        ("\n\nraise ValueError('hunter2')", "ValueError at broken_vault, line 3"),
        ("def boom():\n    return 1 / 0\nboom()", "ZeroDivisionError at broken_vault, line 2"),
        ("raise GeneratorExit", "GeneratorExit at broken_vault, line 1"),
        ("class Good(:", "SyntaxError in .*broken_vault.py, line 1"),
        ("import sys", "AttributeError about 'Good'"),
    ],
)
def test_a_plugin_that_breaks_at_import_is_one_sentence(install: Install, source: str, cause: str) -> None:
    """Entry point, distribution, version, the exception's class and its place; never its text."""
    install("broken_vault", "broken", source)
    with pytest.raises(PluginError, match=cause) as refused:
        load(GROUP, "broken", Secrets)
    assert "'broken' of hayai.secrets (broken_vault:Good, from broken_vault 1.2)" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_keyboard_interrupt_is_the_operators(install: Install) -> None:
    """Ctrl-C during an import ends the program."""
    install("slow_vault", "slow", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        load(GROUP, "slow", Secrets)


def test_a_plugin_of_another_kind_is_refused(install: Install) -> None:
    """Neither a class of something else nor an object passes for an adapter."""
    install("wrong_vault", "wrong", "class Good: pass")
    install("value_vault", "value", "Good = 'hunter2'")
    assert "let it inherit from hayai.ports.secrets.Secrets" in refusal("wrong")
    assert "hunter2" not in refusal("value")


def test_an_unfinished_adapter_is_refused(install: Install) -> None:
    """What the port asks for and the class leaves out is named."""
    install("half_vault", "half", "from hayai.ports.secrets import Secrets\nclass Good(Secrets): pass")
    assert "leaves _read, place unwritten" in refusal("half")


def test_one_broken_plugin_takes_no_other_down(install: Install) -> None:
    """What loads is there, what does not is told."""
    install("good_vault", "good", GOOD)
    install("exit_vault", "exit", "raise SystemExit(3)")
    loaded, problems = load_all(["exit", "good", "nowhere"], lambda name: load(GROUP, name, Secrets))
    assert list(loaded) == ["good"]
    assert [str(problem).partition(":")[0] for problem in problems] == [
        "The plugin 'exit' of hayai.secrets (exit_vault",
        "There is no 'nowhere' in hayai.secrets",
    ]
