"""The queue: Celery on the application's own PostgreSQL, or on any broker named by CELERY_BROKER_URL.

    celery -A config.celery worker | beat

What must be done is a row in the database; a task only wakes the code that does it. So a task may run twice, may come
late (by the visibility timeout, when a worker was killed), and carries keys, never facts.
"""

import os

from celery import Celery
from django.conf import settings

from config import embedded_postgres, queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
if not settings.configured:  # a worker or beat is starting; where Django runs already, its entry point has chosen
    embedded_postgres.database_url()

app = Celery("weir")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.add_defaults(lambda: queue.defaults_for(settings.CELERY_BROKER_URL))
app.autodiscover_tasks()
