"""``manage.py catalogue diff|apply|export`` as somebody at a terminal or a pipeline meets it."""

import io
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from plans.models import Feature, PlanVersion
from tests.plans.catalogue_text import SMALL, changed


class Terminal(io.StringIO):
    """Somebody who answers what they are asked."""

    def isatty(self) -> bool:
        return True


def catalogue(*arguments: str) -> str:
    out = io.StringIO()
    call_command("catalogue", *arguments, stdout=out, no_color=True)
    return out.getvalue()


@pytest.fixture
def file(db: None, tmp_path: Path) -> Path:
    path = tmp_path / "catalogue.yaml"
    path.write_text(SMALL)
    return path


def test_diff_shows_and_changes_nothing(file: Path) -> None:
    shown = catalogue("diff", str(file), "--publish")
    assert "+ features.chat\n    + name: Chat\n" in shown
    assert "+ plans.pro v1 (draft)\n" in shown
    assert "^ plans.pro v1 (publish)\n" in shown
    assert shown.endswith("changes to make.\n")
    assert not Feature.objects.exists()


def test_diff_exits_with_one_only_where_asked_and_only_for_differences(file: Path) -> None:
    catalogue("diff", str(file))
    with pytest.raises(SystemExit) as stop:
        catalogue("diff", str(file), "--exit-code")
    assert stop.value.code == 1
    catalogue("apply", str(file))
    assert catalogue("diff", str(file), "--exit-code") == "The catalogue is as the file says.\n"
    with pytest.raises(SystemExit):
        catalogue("diff", str(file), "--exit-code", "--publish")


def test_apply_shows_then_changes_then_has_nothing_to_do(file: Path) -> None:
    shown = catalogue("apply", str(file), "--publish")
    assert shown.index("+ plans.pro v1 (draft)") < shown.index("Made ")
    assert PlanVersion.objects.get().status == "published"
    assert catalogue("apply", str(file), "--publish") == "The catalogue is as the file says.\n"


def test_an_export_is_applied_without_a_change(file: Path) -> None:
    catalogue("apply", str(file), "--publish")
    exported = file.with_name("export.yaml")
    catalogue("export", str(exported))
    assert exported.read_text() == catalogue("export")
    assert catalogue("diff", str(exported), "--exit-code", "--publish") == "The catalogue is as the file says.\n"


@pytest.mark.parametrize(("answer", "made"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_a_terminal_is_asked(file: Path, monkeypatch: pytest.MonkeyPatch, answer: str, made: bool) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    if made:
        catalogue("apply", str(file))
    else:
        with pytest.raises(CommandError, match="Nothing was changed"):
            catalogue("apply", str(file))
    assert Feature.objects.exists() == made


def test_yes_asks_nobody(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    catalogue("apply", str(file), "--yes")
    assert Feature.objects.exists()


def test_a_file_can_come_from_a_pipe(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(SMALL))
    catalogue("apply", "-")
    assert Feature.objects.exists()


def refused(*arguments: str) -> str:
    with pytest.raises(CommandError) as refusal:
        catalogue(*arguments)
    assert refusal.value.returncode == 2
    return str(refusal.value)


def test_mistakes_and_refusals_exit_with_two(file: Path) -> None:
    assert "No such file" in refused("diff", str(file.with_name("other.yaml")))
    assert "Is a directory" in refused("apply", str(file.parent))
    file.write_text(changed(("{feature: sso}", "{feature: ssso}")))
    said = refused("apply", str(file))
    assert said == (
        "The catalogue file is not valid:\n  plans.pro.entitlements[2].feature: there is no 'ssso' in features"
    )
    file.write_bytes(b"\xff\xfe")
    assert "utf-8" in refused("diff", str(file))
    file.write_text(SMALL)
    catalogue("apply", str(file), "--publish")
    file.write_text(changed(("action: 0.5", "action: 0.6")))
    assert "rate_cards.standard v1 is published" in refused("apply", str(file))
    assert "No such file" in refused("export", str(file.parent / "nowhere" / "x.yaml"))


def test_what_the_file_does_not_mention_is_said(file: Path) -> None:
    catalogue("apply", str(file))
    file.write_text("features: {chat: {name: Chat}}")
    assert "Not in the file, left as they are: features.seats, features.sso" in catalogue("diff", str(file))


def test_colours_are_for_terminals(file: Path) -> None:
    out = io.StringIO()
    call_command("catalogue", "diff", str(file), stdout=out, force_color=True)
    assert "\x1b[" in out.getvalue()
    assert "\x1b[" not in catalogue("diff", str(file))
