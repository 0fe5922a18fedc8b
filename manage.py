"""Django's own commands, for those who develop Tocsin (`python manage.py makemigrations`)."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tocsin.wiring.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
