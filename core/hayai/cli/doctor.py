"""`hayai doctor`: what is wrong with this installation, in sentences."""

import sys
from pathlib import Path

from hayai.cli.options import DataOption, JsonOption, TierOption
from hayai.cli.output import WRONG, show, show_json
from hayai.runtime.standing import examine


def doctor(
    tier: TierOption = None,
    data: DataOption = Path(".hayai"),
    as_json: JsonOption = False,
) -> None:
    """Check Python, disk, plugins, settings, the local stack, database and bus; exit status 1 when one is wrong."""
    findings = examine(tier, data)
    if as_json:
        show_json([{"part": each.part, "ok": each.ok, "says": each.says} for each in findings])
    else:
        for each in findings:
            show(f"{'ok   ' if each.ok else 'WRONG'} {each.part}: {each.says}")
    if not all(each.ok for each in findings):
        sys.exit(WRONG)
