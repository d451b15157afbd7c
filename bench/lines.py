"""What is compared with what, and how far it should come. Pure."""

from statistics import median
from typing import Literal

import msgspec

from bench.jobs import Result

Value = Literal["per_second", "p50_ms", "p99_ms"]


class Term(msgspec.Struct, frozen=True):
    """One number of a measure."""

    measure: str
    value: Value = "per_second"

    def of(self, results: dict[str, Result]) -> float:
        return float(getattr(results[self.measure], self.value))


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A ratio. `reach` is what it must come to and `aim` what it should; of latencies both are upper bounds."""

    name: str
    title: str
    top: Term
    bottom: Term
    reach: float | None = None
    aim: float | None = None
    at_most: bool = False

    @property
    def measures(self) -> tuple[str, str]:
        return self.top.measure, self.bottom.measure


class LineResult(msgspec.Struct, frozen=True, kw_only=True):
    """A line as measured: medians over the rounds. The ratio is the median of the rounds' own ratios."""

    name: str
    title: str
    ratio: float
    ratios: list[float]
    top: float
    bottom: float
    value: Value
    p50_ms: float
    p99_ms: float
    reach: float | None
    aim: float | None
    at_most: bool
    reached: bool | None


def judge(line: Line, rounds: list[dict[str, Result]]) -> LineResult:
    """The line's result over these rounds, each of which measured both sides."""
    tops = [line.top.of(results) for results in rounds]
    bottoms = [line.bottom.of(results) for results in rounds]
    ratios = [top / bottom if bottom else 0.0 for top, bottom in zip(tops, bottoms, strict=True)]
    ratio = median(ratios)
    reached = None if line.reach is None else ratio <= line.reach if line.at_most else ratio >= line.reach
    measured = [results[line.top.measure] for results in rounds]
    return LineResult(
        name=line.name,
        title=line.title,
        ratio=round(ratio, 3),
        ratios=[round(each, 3) for each in ratios],
        top=round(median(tops), 3),
        bottom=round(median(bottoms), 3),
        value=line.top.value,
        p50_ms=round(median(each.p50_ms for each in measured), 3),
        p99_ms=round(median(each.p99_ms for each in measured), 3),
        reach=line.reach,
        aim=line.aim,
        at_most=line.at_most,
        reached=reached,
    )


def _spread(name: str, title: str, measure: str, bottom: str, reach: float | None, aim: float | None) -> list[Line]:
    """The same calls from 64 and from 256 callers, against one baseline."""
    return [
        Line(
            name=f"{name}_{callers}",
            title=f"{title}, {callers} callers",
            top=Term(f"{measure}_{callers}"),
            bottom=Term(bottom),
            reach=reach,
            aim=aim,
        )
        for callers in (64, 256)
    ]


def _even(measure: str) -> Line:
    return Line(
        name=f"even_{measure}",
        title=f"p99 ÷ p50 of {measure.partition('_')[0]}, 64 callers",
        top=Term(f"{measure}_64", "p99_ms"),
        bottom=Term(f"{measure}_64", "p50_ms"),
        reach=4,
        aim=3,
        at_most=True,
    )


def _ingest(batch: int, reach: float | None) -> Line:
    return Line(
        name=f"ingest_{batch}",
        title=f"ingest, {batch:,} events a request ÷ COPY",
        top=Term(f"ingest_{batch}"),
        bottom=Term(f"copy_{batch}"),
        reach=reach,
        aim=None if reach is None else 0.5,
    )


LINES: tuple[Line, ...] = (
    *_spread("hold", "check and hold ÷ pgbench", "hold", "pgbench_spread", 1.0, 2.0),
    *_spread("settle", "settle ÷ pgbench", "settle", "pgbench_spread", None, None),
    *_spread("usage", "usage ÷ pgbench", "usage", "pgbench_spread", 0.7, 1.5),
    *_spread("hot", "usage, one hot customer ÷ pgbench, one hot row", "hot", "pgbench_hot", 3.0, 8.0),
    *_spread("hot_hold", "hold, one hot customer ÷ pgbench, one hot row", "hot_hold", "pgbench_hot", None, None),
    *_spread("check", "check ÷ pgbench SELECT", "check", "pgbench_select", 0.2, 0.5),
    Line(
        name="lease",
        title="lease check in the SDK's process, told by the hundred ÷ pgbench",
        top=Term("lease"),
        bottom=Term("pgbench_spread"),
    ),
    _ingest(100, None),
    _ingest(1_000, 0.3),
    _ingest(10_000, 0.35),
    _even("hold"),
    _even("usage"),
    _even("check"),
    Line(
        name="lone",
        title="p50 of a lone caller's hold ÷ the same batch of one without HTTP",
        top=Term("lone_http", "p50_ms"),
        bottom=Term("lone_direct", "p50_ms"),
        reach=2.0,
        aim=1.5,
        at_most=True,
    ),
)


def scale_lines(sizes: list[int], smallest: int) -> list[Line]:
    """Throughput with more customers ÷ with the fewest."""
    return [
        Line(
            name=f"scale_{kind}_{size}",
            title=f"{kind}, {size:,} customers ÷ {smallest:,}",
            top=Term(f"scale_{kind}_{size}"),
            bottom=Term(f"scale_{kind}_{smallest}"),
            reach=0.8 if size >= 1_000_000 else None,
            aim=0.95 if size >= 1_000_000 else None,
        )
        for kind in ("check", "hold")
        for size in sizes
        if size > smallest
    ]
