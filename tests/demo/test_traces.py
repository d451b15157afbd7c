"""Reading published traces: every row as it was measured, every bad row by its line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from demo.traces import UNDATED_START, TraceUnreadable, read_trace
from kernel.usage import Usage
from tests.conftest import needs_shared

AZURE = "TIMESTAMP,ContextTokens,GeneratedTokens"
MOONCAKE = "timestamp_ms,input_tokens,cached_input_tokens,output_tokens"


def written(folder: Path, *lines: str, end: str = "\n") -> Path:
    path = folder / "trace.csv"
    path.write_bytes(end.join(lines).encode())
    return path


def test_azure_times_are_utc_and_keep_their_microseconds(tmp_path: Path) -> None:
    trace = written(tmp_path, AZURE, "2023-11-16 18:15:46.6805900,374,44", "2023-11-16 18:15:50,396,109", end="\r\n")
    first, second = read_trace(trace)
    assert first.at == datetime(2023, 11, 16, 18, 15, 46, 680590, tzinfo=UTC)
    assert first.usage == Usage(input_tokens=374, output_tokens=44)
    assert second.at == datetime(2023, 11, 16, 18, 15, 50, tzinfo=UTC)
    assert (first.number, second.number) == (1, 2)


def test_an_azure_time_with_a_zone_is_moved_to_utc(tmp_path: Path) -> None:
    (row,) = read_trace(written(tmp_path, AZURE, "2024-05-10 02:00:00.009930+02:00,1,2"))
    assert row.at == datetime(2024, 5, 10, 0, 0, 0, 9930, tzinfo=UTC)


def test_mooncake_rows_count_cached_tokens_inside_the_input(tmp_path: Path) -> None:
    (row,) = read_trace(written(tmp_path, MOONCAKE, "3536999,7322,512,490"))
    assert row.usage == Usage(input_tokens=7322, cache_read_tokens=512, output_tokens=490)
    assert row.at == UNDATED_START + timedelta(milliseconds=3_536_999)


@pytest.mark.parametrize(
    ("name", "rows", "total_input", "total_output"),
    [
        # Sums taken from the files with awk, not with the reader.
        ("azure_2023_code.csv", 8_819, 18_059_974, 245_896),
        ("azure_2023_conv.csv", 19_366, 22_361_870, 4_088_665),
        ("mooncake_conversation.csv", 12_031, 144_793_823, 4_122_048),
        ("mooncake_synthetic.csv", 3_993, 61_194_628, 595_432),
    ],
)
def test_every_row_of_the_recorded_traces_is_read(name: str, rows: int, total_input: int, total_output: int) -> None:
    trace = list(read_trace(needs_shared("data", "traces", name)))
    assert len(trace) == trace[-1].number == rows
    assert sum(row.usage.input_tokens for row in trace) == total_input
    assert sum(row.usage.output_tokens for row in trace) == total_output


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (
            (AZURE, "2023-11-16 18:15:46,1,2", "2023-11-16 18:15:47,-3,2"),
            "line 3: ContextTokens must be a whole number",
        ),
        ((AZURE, "2023-11-16 18:15:46,1_0,2"), "line 2: ContextTokens must be a whole number, and is '1_0'"),
        ((AZURE, "yesterday,1,2"), "line 2: 'yesterday' is not a time"),
        ((AZURE, "2023-11-16 18:15:46,1"), "line 2: has 2 values where 3 belong"),
        ((AZURE, "2023-11-16 18:15:46,1,99999999999"), "line 2: output_tokens must be between 0 and"),
        ((MOONCAKE, "0,10,11,1"), "line 2: input_tokens is smaller than the parts it contains"),
        ((MOONCAKE, '0,"10'), "line 2: unexpected end of data"),
        (("a,b,c", "1,2,3"), "the first line must be TIMESTAMP"),
        ((), "the first line must be TIMESTAMP"),
    ],
)
def test_what_is_not_a_trace_is_refused_with_its_place(tmp_path: Path, lines: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(TraceUnreadable) as refusal:
        list(read_trace(written(tmp_path, *lines)))
    assert complaint in str(refusal.value)


def test_rows_before_a_bad_one_can_still_be_had(tmp_path: Path) -> None:
    rows = read_trace(written(tmp_path, AZURE, "2023-11-16 18:15:46,1,2", "", "2023-11-16 18:15:47,x,2"))
    assert next(rows).usage == Usage(input_tokens=1, output_tokens=2)
    with pytest.raises(TraceUnreadable, match="line 4"):
        next(rows)


def test_a_missing_or_binary_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(TraceUnreadable, match=r"none\.csv: No such file"):
        list(read_trace(tmp_path / "none.csv"))
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(TraceUnreadable, match="is not a text file"):
        list(read_trace(tmp_path / "binary.csv"))
