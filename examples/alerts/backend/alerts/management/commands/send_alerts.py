from django.core.management.base import BaseCommand

from alerts.views import described, known


class Command(BaseCommand):
    help = 'Prints a line for each station above its limit: where a real site would send mail.'

    def handle(self, *arguments, **options):
        for station in map(described, known()):
            if station['alert']:
                self.stdout.write(f'ALERT {station["name"]}: {station["level"]} m is above {station["limit"]} m')
