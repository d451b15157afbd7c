"""`make run`: everything starts together, says how to get in, and ends together."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from config.embedded_postgres.attach import current_url
from tests.config.embedded_postgres.users import HOUSE, eventually, kill_keeper, processes_of

STAND_INS = "tests.config.stub_service"
REAL = "config.run"


class Service:
    """A run of the service in a folder of its own, as a terminal would start it."""

    def __init__(
        self,
        data: Path,
        *,
        module: str = STAND_INS,
        port: int | str | None = None,
        broken: str = "",
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.data = data
        self.port = port or _free_port()
        inherited = ("DATABASE_URL", "STRIPE_SECRET_KEY")
        environment = {name: value for name, value in os.environ.items() if name not in inherited}
        self.process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=HOUSE,
            env=environment
            | {"DATA_DIR": str(data), "PORT": str(self.port), "STUB_BROKEN": broken, "WEIR_DEMO": "0"}
            | {"SANDBOX_PORT": "0", **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def lines_until_ready(self, *, last: str = "ready: ") -> list[str]:
        assert self.process.stdout is not None
        lines: list[str] = []
        for line in self.process.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith(last):
                return lines
        raise AssertionError("\n".join(lines))

    def ends(self) -> tuple[int, str]:
        """Its exit code and the rest of what it said."""
        said = self.process.communicate(timeout=40)[0]
        return self.process.returncode, said

    def is_interrupted(self) -> tuple[int, str]:
        """Ctrl-C: the terminal sends SIGINT to the whole foreground group."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.ends()

    def processes(self) -> list[str]:
        """What of it runs now: children carry its DATA_DIR in their environment, the server its name."""
        return [
            _command_of(one) for one in {*processes_of(self.data / "postgres"), *_carrying(f"DATA_DIR={self.data}")}
        ]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    services: list[Service] = []

    def start_service(**options: object) -> Service:
        services.append(Service(tmp_path / "data", **options))  # type: ignore[arg-type]
        return services[-1]

    yield start_service
    for service in services:
        service.process.kill()
        service.process.wait()


def test_it_says_how_to_get_in_and_ctrl_c_leaves_no_process(start: Callable[..., Service], tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    demo = {"api_key": "weir_123", "staff_user": "ada", "staff_password": "s3cret"}
    (data / "demo-credentials.json").write_text(json.dumps(demo))
    (data / "welcome.txt").write_text("curl {base_url}/v1/check\n")
    service = start()

    lines = service.lines_until_ready(last="curl")
    assert f"ready: http://127.0.0.1:{service.port}" in lines
    assert "api key: weir_123" in lines
    assert "staff: ada s3cret" in lines
    assert lines[-1] == f"curl http://127.0.0.1:{service.port}/v1/check"
    assert len(service.processes()) > 5

    assert service.is_interrupted()[0] == 0
    assert service.processes() == []


def test_without_a_stripe_key_it_says_that_payments_are_a_sandbox(start: Callable[..., Service]) -> None:
    service = start()
    (said,) = [line for line in service.lines_until_ready(last="payments: ") if line.startswith("payments: ")]
    assert said.startswith("payments: SANDBOX, no real money moves: http://127.0.0.1:")
    assert (service.data / "stripe-sandbox.secret").stat().st_mode & 0o077 == 0
    assert service.is_interrupted()[0] == 0


def test_with_a_stripe_key_there_is_no_sandbox(start: Callable[..., Service]) -> None:
    service = start(more={"STRIPE_SECRET_KEY": "sk_test_my_own"})
    service.lines_until_ready()
    code, said = service.is_interrupted()
    assert (code, "payments:" in said) == (0, False)
    assert not (service.data / "stripe-sandbox.secret").exists()


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL])
def test_however_it_is_ended_nothing_is_left(start: Callable[..., Service], sign: signal.Signals) -> None:
    service = start()
    service.lines_until_ready()

    service.process.send_signal(sign)
    service.process.wait(30)
    assert eventually(lambda: service.processes() == [])


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        ("migrate", "preparing the database ended with 1"),
        ("worker", "worker ended with 3"),
        ("web", "web ended with 3"),
    ],
)
def test_when_one_part_ends_all_end_and_it_says_which(
    start: Callable[..., Service], broken: str, complaint: str
) -> None:
    service = start(broken=broken)

    code, said = service.ends()
    assert code == 1
    assert complaint in said
    assert service.processes() == []


@pytest.mark.parametrize("after_seconds", [0.15, 0.4, 0.8])
def test_told_to_stop_while_the_database_is_still_being_made_it_leaves_nothing(
    start: Callable[..., Service], after_seconds: float
) -> None:
    service = start()
    time.sleep(after_seconds)
    service.process.terminate()

    assert service.ends()[0] in (0, -signal.SIGTERM)  # the latter while Python has not yet come to our code
    assert service.processes() == []


def test_a_port_that_is_taken_is_named_before_anything_is_started(start: Callable[..., Service]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        service = start(port=taken)

        code, said = service.ends()
    assert code == 1
    assert f"Port {taken} cannot be used" in said
    assert "PORT=8080 make run" in said
    assert not service.data.exists()


def test_a_port_that_is_no_number_is_refused(start: Callable[..., Service]) -> None:
    code, said = start(port="eighty").ends()

    assert code == 1
    assert "PORT must be a number from 1 to 65535, and it is 'eighty'" in said


def test_a_killed_keeper_of_the_database_is_replaced_while_the_service_runs(start: Callable[..., Service]) -> None:
    service = start()
    service.lines_until_ready()
    kill_keeper(service.data / "postgres")

    assert eventually(lambda: current_url(service.data / "postgres") is not None)
    assert service.process.poll() is None
    assert service.is_interrupted()[0] == 0
    assert service.processes() == []


@pytest.mark.slow
def test_the_real_service_starts_again_within_ten_seconds(start: Callable[..., Service]) -> None:
    """The whole of it, without the demo company: migrated, healthy, with a worker and beat that stay."""
    first = start(module=REAL)
    first.lines_until_ready()
    with urllib.request.urlopen(f"http://127.0.0.1:{first.port}/healthz", timeout=5) as answer:
        assert answer.status == 200
    time.sleep(2)
    assert first.process.poll() is None
    assert first.is_interrupted()[0] == 0
    assert first.processes() == []

    began = time.monotonic()
    second = start(module=REAL)
    second.lines_until_ready()
    assert time.monotonic() - began < 10
    assert second.is_interrupted()[0] == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _carrying(setting: str) -> list[int]:
    mark = f"{setting}\0".encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def _command_of(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""
