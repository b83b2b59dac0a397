from django.contrib import admin

from .models import Building, Host, Lab, Nic, Rack


class NicInline(admin.TabularInline):
    model = Nic
    extra = 1


@admin.register(Host)
class HostAdmin(admin.ModelAdmin):
    list_display = ['hostname', 'ip', 'status', 'owner', 'rack', 'changed']
    list_filter = ['status', 'rack__lab']
    search_fields = ['hostname', 'ip', 'owner', 'nics__mac']
    autocomplete_fields = ['rack', 'vm_host']
    inlines = [NicInline]


@admin.register(Rack)
class RackAdmin(admin.ModelAdmin):
    list_display = ['name', 'lab', 'units']
    search_fields = ['name', 'lab__name']


@admin.register(Lab)
class LabAdmin(admin.ModelAdmin):
    list_display = ['name', 'building', 'network']
    list_filter = ['building']


admin.site.register(Building)
admin.site.site_header = admin.site.site_title = 'Lab inventory'
