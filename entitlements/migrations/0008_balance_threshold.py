from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('entitlements', '0006_gate_lines'),
    ]

    operations = [
        migrations.AddField(
            model_name='balance',
            name='low_below_microcredits',
            field=models.BigIntegerField(help_text='Say so once when available falls below this; null never does.', null=True),
        ),
        migrations.AddField(
            model_name='balance',
            name='low_since',
            field=models.DateTimeField(help_text='Available has been below it since then.', null=True),
        ),
        migrations.AddConstraint(
            model_name='balance',
            constraint=models.CheckConstraint(condition=models.Q(('low_since', None), ('low_below_microcredits__isnull', False), _connector='OR'), name='balance_low_is_below_something'),
        ),
        migrations.AlterField(
            model_name='ledgerentry',
            name='kind',
            field=models.SmallIntegerField(choices=[(1, 'grant'), (2, 'burn'), (3, 'expire'), (4, 'void'), (5, 'debt'), (6, 'debt_paid'), (7, 'overage'), (8, 'overage_paid'), (9, 'refund'), (10, 'overage_billed'), (11, 'reversal'), (12, 'restored')]),
        ),
    ]
