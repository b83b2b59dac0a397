from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection

LOCK = 0x636F7265  # one number for all instances of this application


class Command(BaseCommand):
    help = 'Migrates the database, collects the static files, makes the first administrator. Instances wait in turn.'

    def handle(self, *arguments, **options):
        with connection.cursor() as cursor:
            cursor.execute('SELECT pg_advisory_lock(%s)', [LOCK])
            try:
                call_command('migrate', interactive=False, verbosity=1)
                call_command('collectstatic', interactive=False, verbosity=0)
                self.make_administrator()
            finally:
                cursor.execute('SELECT pg_advisory_unlock(%s)', [LOCK])

    def make_administrator(self):
        users = get_user_model().objects
        if users.filter(is_superuser=True).exists():
            return
        if not settings.ADMIN_PASSWORD:
            self.stdout.write('no administrator yet: run manage.py createsuperuser')
            return
        users.create_superuser(settings.ADMIN_USER, password=settings.ADMIN_PASSWORD)
        self.stdout.write(f'made the administrator {settings.ADMIN_USER}')
