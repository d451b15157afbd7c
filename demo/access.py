"""Ways into the demo company: an API key that may do everything, and a staff login."""

import secrets
from datetime import datetime
from pathlib import Path

from django.contrib.auth import get_user_model

from access.models import Scope
from access.services.api_keys import create_key
from demo.credentials import Credentials, write_credentials
from entitlements.models import Customer

STAFF_USER = "demo"


def issue_credentials(folder: Path, now: datetime) -> Credentials:
    """Make a key and a login (or a new password for the login there is) and write both into the folder."""
    _, api_key = create_key("demo", Scope.values, now)
    password = secrets.token_hex(10)
    user, _ = get_user_model().objects.update_or_create(
        username=STAFF_USER, defaults={"is_staff": True, "is_superuser": True, "is_active": True}
    )
    user.set_password(password)
    user.save()
    credentials = Credentials(api_key=api_key, staff_user=STAFF_USER, staff_password=password)
    write_credentials(folder, credentials)
    return credentials


def holds_the_demo() -> bool:
    """Whether this database is the demo company's, to which new credentials may be issued."""
    return Customer.objects.filter(tags__demo=True).exists()
