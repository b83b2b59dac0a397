import django.db.models.deletion
from django.db import migrations, models

POINTS = '''
ALTER TABLE guyane.station ADD COLUMN point geometry(Point, 4326);
CREATE INDEX station_point ON guyane.station USING gist (point);
INSERT INTO guyane.station (slug, name, "limit", point) VALUES
  ('maripasoula', 'Maripasoula', 6, ST_Point(-54.03, 3.64, 4326)),
  ('camopi', 'Camopi', 7.5, ST_Point(-52.34, 3.17, 4326)),
  ('saut-sabbat', 'Saut Sabbat', 5, ST_Point(-53.69, 5.39, 4326)),
  ('cacao', 'Cacao', 4, ST_Point(-52.47, 4.57, 4326));
GRANT SELECT ON guyane.station TO tileserv;
'''


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel('Station', [
            ('id', models.BigAutoField(primary_key=True)),
            ('slug', models.SlugField(unique=True)),
            ('name', models.CharField(max_length=80)),
            ('limit', models.FloatField(help_text='metres; above it there is an alert')),
        ], options={'db_table': 'station', 'ordering': ['slug']}),
        migrations.CreateModel('Level', [
            ('id', models.BigAutoField(primary_key=True)),
            ('time', models.DateTimeField(auto_now_add=True)),
            ('metres', models.FloatField()),
            ('station', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='levels',
                                          to='alerts.Station')),
        ], options={'db_table': 'level', 'ordering': ['-time']}),
        migrations.RunSQL(POINTS),
    ]
