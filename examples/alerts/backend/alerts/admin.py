from django.contrib import admin

from .models import Level, Station

admin.site.register([Station, Level])
