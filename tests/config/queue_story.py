"""A Celery application with the service's own settings and one task; test_queue.py runs it."""

import os
from pathlib import Path

from celery import Celery

from config.queue import defaults_for

_broker = os.environ["QUEUE_STORY_DATABASE"].replace("postgresql://", "pgmq://", 1)

app = Celery("queue_story", broker=_broker, set_as_current=False)
app.conf.update(defaults_for(_broker))


@app.task(name="take_note")  # type: ignore[untyped-decorator]
def take_note(note: str) -> None:
    with Path(os.environ["QUEUE_STORY_NOTES"]).open("a") as notes:
        notes.write(f"{note}\n")
