from django.db import migrations

from kernel.sql import InstallSql


class Migration(migrations.Migration):

    dependencies = [
        ("entitlements", "0011_margin_figure"),
        ("margins", "0006_costs_and_currencies"),
    ]

    operations = [
        InstallSql("margins", "due_breakage"),
    ]
