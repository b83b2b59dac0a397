from django.db import models


class Station(models.Model):
    """Where a level is measured. Its point is a column that only PostGIS knows; a migration makes it."""
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    limit = models.FloatField(help_text='metres; above it there is an alert')

    class Meta:
        db_table = 'station'
        ordering = ['slug']

    def __str__(self):
        return self.name


class Level(models.Model):
    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name='levels')
    time = models.DateTimeField(auto_now_add=True)
    metres = models.FloatField()

    class Meta:
        db_table = 'level'
        ordering = ['-time']
