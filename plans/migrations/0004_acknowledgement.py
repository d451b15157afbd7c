from django.db import migrations, models
import django.db.models.deletion

from kernel.sql import InstallSql


class Migration(migrations.Migration):

    dependencies = [
        ('plans', '0003_grace'),
    ]

    operations = [
        migrations.CreateModel(
            name='PlanAcknowledgement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('made_at', models.DateTimeField()),
                ('actor', models.CharField(max_length=200)),
                ('reason', models.TextField()),
                ('findings', models.JSONField(help_text='The blocking findings as they were shown.')),
                ('plan_version', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='acknowledgement', to='plans.planversion')),
            ],
            options={
                'db_table': 'plan_acknowledgement',
            },
        ),
        migrations.AddConstraint(
            model_name='planacknowledgement',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='plan_acknowledgement_says_why'),
        ),
        migrations.AddConstraint(
            model_name='planacknowledgement',
            constraint=models.CheckConstraint(condition=models.Q(('findings', []), _negated=True), name='plan_acknowledgement_is_of_something'),
        ),
        InstallSql("plans", "acknowledgement_guard"),
    ]
