import os

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = 'Makes the first administrator, with the password in DJANGO_SUPERUSER_PASSWORD.'

    def handle(self, *arguments, **options):
        users = get_user_model().objects
        if not users.filter(is_superuser=True).exists():
            users.create_superuser(settings.ADMIN_USER, password=os.environ['DJANGO_SUPERUSER_PASSWORD'])
