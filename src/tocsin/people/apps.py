from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "tocsin.people"
    label = "people"

    def ready(self) -> None:
        """Keep Django from writing four permissions a table at each start: rights are `core.access`, nobody reads those."""
        from django.contrib.contenttypes.management import create_contenttypes
        from django.db.models.signals import post_migrate  # noqa: TID251 - to silence one, not to listen

        post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")
        post_migrate.disconnect(create_contenttypes)
