from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('plans', '0002_limits_make_sense'),
    ]

    operations = [
        migrations.AddField(
            model_name='planversion',
            name='grace',
            field=models.CharField(choices=[('keep', 'keep everything'), ('soft_limit', 'use up what is there, no overage'), ('block', 'block')], default='keep', help_text='What a subscriber may do whose payment stays overdue past the days of grace.', max_length=10, verbose_name='grace policy'),
        ),
        migrations.AddField(
            model_name='planversion',
            name='grace_days',
            field=models.PositiveSmallIntegerField(default=0, help_text='How long nothing changes after a payment has failed.'),
        ),
        migrations.AddField(
            model_name='planversion',
            name='overage_invoice_at_microcredits',
            field=models.BigIntegerField(blank=True, help_text="Overage is invoiced as soon as it reaches this; empty waits for the period's end.", null=True),
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=models.CheckConstraint(condition=models.Q(('overage_invoice_at_microcredits', None), models.Q(('overage_invoice_at_microcredits__gt', 0), ('overage_price__isnull', False)), _connector='OR'), name='plan_version_invoices_priced_overage', violation_error_message='Overage can only be invoiced at an amount above 0, and with a price.'),
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=models.CheckConstraint(condition=models.Q(('grace__in', ('keep', 'soft_limit', 'block')), ('grace_days__lte', 365)), name='plan_version_grace_is_known', violation_error_message='Grace lasts a year at most.'),
        ),
    ]
