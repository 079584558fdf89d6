"""The verdict of `make chaos` on stories that are made up: each broken promise is seen, and a sound story is sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.chaos.oracle import Oracle, Reader, Record
from tests.chaos.plan import Plan, Report, table
from tests.chaos.verdict import Evidence, tally
from tests.chaos.worker import Spec

if TYPE_CHECKING:
    from pathlib import Path

    from tests.chaos.oracle import What

SPEC = Spec("", "", "", sorts=("acting",))
STATELESS = Spec("", "", "", sorts=("stateless",))
ACTS = {"chaos_acting.k.0": 1, "chaos_acting.k.1": 1}


def story(*steps: tuple[What, int], sort: str = "acting", verb: str = "asked") -> list[Record]:
    """Records of one key, a second apart."""
    return [
        Record(what, f"step.{verb}" if what == "acked" else f"chaos_{sort}", "k", number, 1, at)
        for at, (what, number) in enumerate(steps)
    ]


SOUND = story(("acked", 0), ("began", 0), ("acked", 1), ("handled", 0), ("began", 1), ("handled", 1))


def test_a_sound_story_is_sound() -> None:
    """Nothing lost, nothing doubled, in order; the gap is what lies between two that are handled."""
    found = tally(Evidence(SOUND, ACTS), SPEC)
    assert (found.acked, found.handled) == (2, 2)
    assert not [*found.lost, *found.missing, *found.doubled, *found.disordered]


def test_what_is_acknowledged_and_never_handled_is_lost() -> None:
    """Named by handler, key and number."""
    assert tally(Evidence(SOUND[:-1], ACTS), SPEC).lost == ["chaos_acting.k.1"]


def test_an_act_that_is_not_there_once_is_seen() -> None:
    """Missing, or done twice."""
    found = tally(Evidence(SOUND, {"chaos_acting.k.0": 2}), SPEC)
    assert (found.missing, found.doubled) == (["chaos_acting.k.1"], ["chaos_acting.k.0"])


def test_what_begins_before_the_one_ahead_is_handled_is_out_of_order() -> None:
    """However briefly."""
    early = story(("acked", 0), ("acked", 1), ("began", 0), ("began", 1), ("handled", 0), ("handled", 1))
    assert tally(Evidence(early, ACTS), SPEC).disordered == ["chaos_acting.k.1"]


def test_a_run_behind_a_later_one_is_out_of_order_but_for_stateless_handlers() -> None:
    """These may repeat, and it is counted."""
    steps: list[tuple[What, int]] = [("acked", 0), ("began", 0), ("handled", 0), ("acked", 1), ("began", 1)]
    steps += [("handled", 1), ("began", 0), ("handled", 0)]
    found = tally(Evidence(story(*steps), ACTS), SPEC)
    assert (found.disordered, found.reruns) == (["chaos_acting.k.0"], 1)
    may = tally(Evidence(story(*steps, sort="stateless", verb="taken")), STATELESS)
    assert (may.disordered, may.repeats) == ([], 1)


def test_a_breach_is_in_the_table(tmp_path: Path) -> None:
    """With an example, and what was promised."""
    oracle, reader, report = Oracle(tmp_path), Reader(tmp_path), Report("made up")
    oracle.tell("acked", "step.asked", "k", 0)
    assert reader.look()[0].key == "k"
    tally(Evidence(reader.look()), SPEC).judge(report)
    assert "BREACH in made up: acknowledged and lost is 1 and may be 0 at most" in table([report])
    assert "chaos_acting.k.0" in table([report])


def test_a_seed_gives_the_same_chances_again() -> None:
    """For each scenario its own, whatever else is run."""
    one, same, other = Plan(7).random("broker"), Plan(7).random("broker"), Plan(8).random("broker")
    drawn = one.random()
    assert drawn == same.random()
    assert drawn != other.random()
    assert drawn != Plan(7).random("deaths").random()
