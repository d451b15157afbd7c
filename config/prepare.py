"""`python -m config.prepare`: bring the database up to date, and fill an empty one with the demo company.

WEIR_DEMO=0 leaves an empty database empty.
"""

import os

from config import embedded_postgres


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    embedded_postgres.database_url()
    import django
    from django.conf import settings
    from django.core.management import call_command

    from config import pgmq

    django.setup()
    call_command("migrate", verbosity=0)
    pgmq.main()
    if settings.DEBUG:
        settings.STATIC_ROOT.mkdir(
            exist_ok=True
        )  # files are then served from where they lie; only the folder is missed
    elif not settings.STATIC_ROOT.exists():
        call_command("collectstatic", interactive=False, verbosity=0)
    if os.environ.get("WEIR_DEMO") != "0":
        call_command("seed_demo", if_empty=True)


if __name__ == "__main__":
    main()
