"""How our tasks are queued, on PostgreSQL by pgmq or on another broker. Needs no Django, so it can be tried alone."""

from typing import Any

DEFAULTS: dict[str, Any] = {
    "task_default_queue": "weir",
    "task_ignore_result": True,
    "task_acks_late": True,  # a task whose worker dies is given to another
    "task_reject_on_worker_lost": True,
    "worker_prefetch_multiplier": 4,  # with 1, pgmq waits for its polling interval between reads: 19 tasks/s, not 450
    "worker_enable_remote_control": False,  # its queue names are longer than pgmq allows
    "worker_send_task_events": False,
    "worker_hijack_root_logger": False,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,  # a restart of PostgreSQL is waited for, however long
    "worker_cancel_long_running_tasks_on_connection_loss": False,
}

# A read when notified and one each second besides: an idle worker costs two or three small transactions a second.
# With a wait time, pgmq would instead look ten times a second inside the server.
_PGMQ_OPTIONS: dict[str, Any] = {
    "init_extension": False,
    "use_notify": True,
    "notify_throttle_interval_ms": 0,
    "polling_interval": 1,
    "wait_time_seconds": 0,
    "visibility_timeout": 120,  # longer than any task; what a stopping worker had fetched comes back after it
    "pool_size": 2,
    "pool_timeout": 5,
}


def defaults_for(broker_url: str) -> dict[str, Any]:
    """Celery's settings for this broker; CELERY_* in Django's settings override them."""
    if not broker_url.startswith("pgmq://"):
        return DEFAULTS
    # Said outright, because the pgmq client otherwise prefers DATABASE_URL over the broker it is given.
    database = broker_url.replace("pgmq://", "postgresql://", 1)
    return DEFAULTS | {"broker_transport_options": _PGMQ_OPTIONS | {"conn_string": database}}
