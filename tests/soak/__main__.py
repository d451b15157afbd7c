"""The command: set up, let callers call and servers die, ask again, look, tidy up."""

import argparse
import asyncio
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from kernel.sql_files import ROOT
from tests import soak
from tests.concurrency.stories import play
from tests.soak import calls, services
from tests.soak.place import CUSTOMERS, Place, await_that

LONGEST_PAUSE_SECONDS = 4.0
RECOVERED = 0.7
"""How often everything is up again before the next death; else that comes wherever recovery is by then."""
STARTING_SECONDS = FINISHING_SECONDS = LAST_DEATH_SECONDS = 120.0
SHOWN = 50


def main() -> int:
    options = _options()
    # Whoever ends this ends it in good order: nothing it started may stay behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    place = Place()
    print(f"soak: {options.seconds:.0f} s, seed {options.seed}, in {place.root}", flush=True)
    try:
        place.set_up()
        killed = _under_fire(place, options.seed, options.seconds)
        print(f"killed: {', '.join(f'{what} {times}×' for what, times in sorted(killed.items()))}", flush=True)
        findings = [*_findings(place), *_rounds(place, options.rounds)]
    finally:
        place.tear_down(keep=options.keep)
    if not findings:
        print("every acknowledged call is there, once, as it was told")
        return 0
    print("\n".join(f"FOUND {finding}" for finding in findings[:SHOWN]))
    print(f"{len(findings)} findings; again with --seconds {options.seconds:.0f} --seed {options.seed} --keep")
    return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=soak.__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to call and kill")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="default: by the clock")
    parser.add_argument("--rounds", type=int, default=0, help="then play each story of tests/concurrency so many times")
    parser.add_argument("--keep", action="store_true", help="leave the database and the journals to be looked at")
    return parser.parse_args()


def _under_fire(place: Place, seed: int, seconds: float) -> Counter[str]:
    """Let callers and services work for so long, and kill what they work with. Then everything is up again."""
    customers = list(CUSTOMERS)
    to_callers = calls.Orders(seed, place.ports, place.key, customers, str(place.journals[0]))
    to_services = services.Orders(seed, customers, str(place.journals[1]))
    with _started("tests.soak.calls", to_callers) as callers, _started("tests.soak.services", to_services) as others:
        await_that(lambda: all(journal.exists() for journal in place.journals), STARTING_SECONDS)
        killed = _kill(place, random.Random(seed), seconds)
        place.await_webs()
        for process in (callers, others):
            process.terminate()
        codes = [process.wait(FINISHING_SECONDS) for process in (callers, others)]
    if any(codes):
        raise RuntimeError(f"callers and services ended with {codes}")
    return killed


@contextmanager
def _started(module: str, orders: msgspec.Struct) -> "Iterator[subprocess.Popen[bytes]]":
    """A process with its orders on standard input; gone at the end."""
    with subprocess.Popen([sys.executable, "-m", module], cwd=ROOT, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(orders))
        process.stdin.close()
        try:
            yield process
        finally:
            process.kill()


def _kill(place: Place, dice: random.Random, seconds: float) -> Counter[str]:
    """Each kind of death in turn, shuffled, until time is up and each has come at least once."""
    ends = time.monotonic() + seconds
    deaths: dict[str, Callable[[], bool]] = {
        "web processes": lambda: place.kill_webs(*dice.choice([place.webs, place.webs[:1], place.webs[1:]])),
        "the database server": place.kill_server,
        "a session of the database": lambda: place.kill_session(dice),
    }
    killed: Counter[str] = Counter()
    waiting: list[str] = []
    while time.monotonic() < ends or len(killed) < len(deaths):
        if time.monotonic() > ends + LAST_DEATH_SECONDS:
            raise RuntimeError(f"not everything recovered to be killed once: {dict(killed)}")
        if dice.random() < RECOVERED:
            place.await_webs()
        time.sleep(dice.uniform(0.1, 1.0) * min(LONGEST_PAUSE_SECONDS, seconds / len(deaths)))
        waiting = waiting or dice.sample(sorted(deaths), k=len(deaths))
        if deaths[waiting[-1]]():
            killed[waiting.pop()] += 1
        else:  # It is not there to be killed: later.
            waiting.insert(0, waiting.pop())
    return killed


def _findings(place: Place) -> Iterator[str]:
    """Everything that should not be."""
    from django.db import connection

    from tests.soak.checks import audited, missing_or_different
    from tests.soak.journal import Told, Trouble, read
    from tests.soak.replays import answered_differently

    connection.close()
    entries = [entry for journal in place.journals for entry in read(journal)]
    told = [entry for entry in entries if isinstance(entry, Told)]
    kinds = Counter(one.kind for one in told if one.status)
    print(f"answered: {', '.join(f'{kind} {times:,}' for kind, times in kinds.most_common())}")
    print(f"tried again: {sum(one.tries - 1 for one in told):,}; never answered: {sum(not one.status for one in told)}")
    if not kinds["hold"] or not kinds["usage"] or not kinds["grant"]:
        yield "hardly anything was answered: this proves nothing"
    yield from (f"{one.status} from {one.path}: {one.answer}" for one in entries if isinstance(one, Trouble))
    # In this order: what was lost is there again when it has been said again.
    yield from missing_or_different(told)
    yield from asyncio.run(answered_differently(told, place.ports, place.key))
    yield from audited()


def _rounds(place: Place, rounds: int) -> Iterator[str]:
    """Exactly ten of fifty, so many times."""
    if rounds:
        games = list(place.players(rounds))
        wrong = asyncio.run(play(place.ports, place.key, games))
        print(f"of fifty callers ten won: {len(games) - len(wrong):,} times of {len(games):,}", flush=True)
        yield from (f"{won} callers won in {game}" for game, won in wrong.items())


if __name__ == "__main__":
    sys.exit(main())
