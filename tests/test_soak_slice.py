"""A slice of `make soak`: one death of each kind under load, and everything that was acknowledged is there, once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kernel.sql_files import ROOT

PATIENCE_SECONDS = 400
TIDYING_SECONDS = 120


@pytest.mark.slow
def test_what_was_acknowledged_survives_one_death_of_each_kind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.soak", "--seconds", "6", "--seed", "1"]
    with (tmp_path / "said").open("w+") as said:
        with subprocess.Popen(command, cwd=ROOT, env=_environment(), stdout=said, stderr=subprocess.STDOUT) as process:
            try:
                code = process.wait(PATIENCE_SECONDS)
            finally:
                # It tidies up after itself, also when it is told to end.
                process.terminate()
                process.wait(TIDYING_SECONDS)
        said.seek(0)
        text = said.read()
    assert code == 0, text
    assert "every acknowledged call is there" in text
    assert not Path(text.partition(", in ")[2].splitlines()[0]).exists()


def _environment() -> dict[str, str]:
    """Nothing of this test run's own database."""
    return {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "TEST_DATABASE"}}
