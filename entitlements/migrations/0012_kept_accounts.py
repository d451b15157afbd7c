from django.db import migrations

from kernel.sql import InstallSql


class Migration(migrations.Migration):

    dependencies = [
        ('entitlements', '0011_margin_figure'),
    ]

    operations = [
        InstallSql("entitlements", "kept_accounts"),
    ]
