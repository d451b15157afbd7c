from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('entitlements', '0008_balance_threshold'),
        ('plans', '0003_grace'),
    ]

    operations = [
        migrations.AddField(
            model_name='balance',
            name='overage_billed_microcredits',
            field=models.BigIntegerField(db_default=0, help_text='Of this billing period, already owed in money: it counts against the spend cap.'),
        ),
        migrations.AddField(
            model_name='balance',
            name='overdue_since',
            field=models.DateTimeField(help_text="A payment is overdue since then; the plan's grace policy says what follows.", null=True),
        ),
        migrations.AddConstraint(
            model_name='balance',
            constraint=models.CheckConstraint(condition=models.Q(('overage_billed_microcredits__gte', 0)), name='balance_overage_billed_is_not_negative'),
        ),
        migrations.AddIndex(
            model_name='ledgerentry',
            index=models.Index(condition=models.Q(('kind', 10)), fields=['customer_id', 'seq'], name='ledger_entry_overage_billed'),
        ),
    ]
