import django.db.models.deletion
import djmoney.models.fields
from django.db import migrations, models

CURRENCIES = [('GBP', 'British Pound'), ('EUR', 'Euro'), ('JPY', 'Japanese Yen'), ('KWD', 'Kuwaiti Dinar'), ('USD', 'US Dollar')]


class Migration(migrations.Migration):

    dependencies = [
        ('margins', '0002_revenue_day'),
        ('plans', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='FeatureBenefit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('churn', 'churn prevented'), ('expansion', 'larger plans sold'), ('support', 'support saved'), ('other', 'something else')], default='churn', max_length=10)),
                ('amount_currency', djmoney.models.fields.CurrencyField(choices=CURRENCIES, default='USD', editable=False, max_length=3)),
                ('amount', djmoney.models.fields.MoneyField(decimal_places=6, help_text='Per active user and calendar month.', max_digits=14)),
                ('investment_currency', djmoney.models.fields.CurrencyField(choices=CURRENCIES, default='USD', editable=False, max_length=3, null=True)),
                ('investment', djmoney.models.fields.MoneyField(blank=True, decimal_places=2, help_text='What building it cost, once. Says after how many months it is back.', max_digits=14, null=True)),
                ('assumption', models.TextField(help_text='Where the figure comes from: an experiment, a survey, a guess.')),
                ('starts_on', models.DateField(help_text='First UTC day it holds.')),
                ('feature', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='plans.feature')),
            ],
            options={
                'db_table': 'feature_benefit',
                'ordering': ['feature', '-starts_on'],
                'constraints': [
                    models.UniqueConstraint(fields=('feature', 'starts_on'), name='feature_benefit_starts_once', violation_error_message='This feature has a benefit from that day on already.'),
                    models.CheckConstraint(condition=models.Q(('amount__gte', 0), models.Q(('investment', None), ('investment__gte', 0), _connector='OR')), name='feature_benefit_is_not_negative', violation_error_message='A benefit and an investment cannot be negative.'),
                    models.CheckConstraint(condition=models.Q(('investment', None), ('investment_currency', models.F('amount_currency')), _connector='OR'), name='feature_benefit_has_one_currency', violation_error_message="The investment must be in the benefit's currency."),
                    models.CheckConstraint(condition=models.Q(('assumption', ''), _negated=True), name='feature_benefit_states_its_assumption', violation_error_message='Say where the figure comes from.'),
                ],
            },
        ),
    ]
