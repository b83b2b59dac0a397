import csv

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from alerts.models import Level, Station


class Command(BaseCommand):
    help = 'Takes in a file of lines "station,metres": all of it or nothing.'

    def add_arguments(self, parser):
        parser.add_argument('file')

    @transaction.atomic
    def handle(self, *arguments, **options):
        known = {station.slug: station for station in Station.objects.all()}
        with open(options['file'], newline='') as file:
            for number, row in enumerate(csv.reader(file), 1):
                if len(row) != 2 or row[0] not in known:
                    raise CommandError(f'{options["file"]}:{number}: not "station,metres" of a known station')
                Level.objects.create(station=known[row[0]], metres=float(row[1]))
        self.stdout.write(f'{number} levels')
