"""The types of an answer are built before the first one comes."""

from __future__ import annotations

import subprocess
import sys

_SCRIPT = """
from openai.types.responses import Response, ResponseCompletedEvent, ResponseTextDeltaEvent
from hayai_openai.warming import warm
kinds = (Response, ResponseCompletedEvent, ResponseTextDeltaEvent)
before = [each.__pydantic_complete__ for each in kinds]
warm()
print(before, [each.__pydantic_complete__ for each in kinds])
"""


def test_the_sdk_is_warm_after_it() -> None:
    """In a process of its own, since the types are built once in each."""
    ran = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.strip() == "[False, False, False] [True, True, True]"
