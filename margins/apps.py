from django.apps import AppConfig


class MarginsConfig(AppConfig):
    name = "margins"
    verbose_name = "Margins"

    def ready(self) -> None:
        # They ask for models, which are there only now.
        from margins.audit import add_checks
        from margins.plan_audit.loading import plan_auditor
        from plans.auditing import register

        add_checks()
        register(plan_auditor)
