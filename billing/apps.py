from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = "Money in"

    def ready(self) -> None:
        from billing import audit, convergence

        audit.add_checks()
        convergence.load()
