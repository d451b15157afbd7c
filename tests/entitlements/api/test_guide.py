"""The guide's lines work as they stand: they are run, in order, against the real service."""

import json
import re
import shutil
import subprocess
from datetime import timedelta
from typing import Any

import pytest

from kernel.clock import utc_now
from kernel.sql_files import ROOT
from plans.models import AIModel
from tests.world import Actor, World

pytestmark = pytest.mark.django_db(transaction=True)

GUIDE = ROOT / "docs" / "gate.md"
BLOCK = re.compile(r"^```(?P<language>sh|json)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
CUT = "--8<--"
STRICT = """set -eo pipefail
curl() { command curl --fail-with-body "$@"; }
"""


def answers(output: str) -> list[Any]:
    """The JSON bodies that one block printed, one after the other."""
    found, rest, decoder = [], output.strip(), json.JSONDecoder()
    while rest:
        body, end = decoder.raw_decode(rest)
        found.append(body)
        rest = rest[end:].strip()
    return found


def shape(value: Any) -> Any:
    """The members of a body, whatever their values."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else type(value).__name__


def test_the_guides_lines_work_and_answer_as_it_says(live_gate: str, live_key: str) -> None:
    if not all(map(shutil.which, ("bash", "curl", "python3"))):
        pytest.skip("bash, curl and python3 are needed to run the guide's lines")
    world = World()
    AIModel.objects.create(key="gpt-5", name="GPT-5", provider="openai", tier=world.economy)
    Actor("harbour-legal", utc_now() - timedelta(days=1), world.pro).is_granted(900)
    blocks = [(match["language"], match["text"]) for match in BLOCK.finditer(GUIDE.read_text())]
    lines = "".join(f"{text}\necho '{CUT}'\n" for language, text in blocks if language == "sh")
    ran = subprocess.run(
        ["bash", "-c", STRICT + lines],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "WEIR": live_gate, "WEIR_API_KEY": live_key},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, f"{ran.stdout[-2000:]}\n{ran.stderr}"
    printed = iter(ran.stdout.split(CUT))
    latest: list[Any] = []
    for language, text in blocks:
        if language == "sh":
            latest = answers(next(printed))
        else:
            assert shape(latest[-1]) == shape(json.loads(text))
    assert latest
