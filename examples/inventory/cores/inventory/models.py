"""Where hosts stand and how they are reached."""
import ipaddress

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

mac_address = RegexValidator(r'^([0-9a-f]{2}:){5}[0-9a-f]{2}$', 'a MAC address is six pairs like 02:00:5e:10:00:01')
host_name = RegexValidator(r'^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$',
                           'a host name has lower-case letters, digits and hyphens, parts joined by dots')


def network(value):
    try:
        ipaddress.ip_network(value)
    except ValueError as error:
        raise ValidationError(f'not a network: {error}') from error


class Building(models.Model):
    name = models.CharField(max_length=100, unique=True)
    address = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ['name']

    def __str__(self):
        return self.name


class Lab(models.Model):
    building = models.ForeignKey(Building, on_delete=models.PROTECT, related_name='labs')
    name = models.CharField(max_length=100)
    network = models.CharField(max_length=50, blank=True, validators=[network], help_text='in CIDR form: 10.1.0.0/24')

    class Meta:
        ordering = ['building__name', 'name']
        unique_together = [('building', 'name')]

    def __str__(self):
        return f'{self.building} / {self.name}'


class Rack(models.Model):
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name='racks')
    name = models.CharField(max_length=100)
    units = models.PositiveSmallIntegerField(default=42)

    class Meta:
        ordering = ['lab__name', 'name']
        unique_together = [('lab', 'name')]

    def __str__(self):
        return f'{self.lab} / {self.name}'


class Host(models.Model):
    class Status(models.TextChoices):
        LIVE = 'live'
        SPARE = 'spare'
        BROKEN = 'broken'
        RETIRED = 'retired'

    hostname = models.CharField(max_length=253, unique=True, validators=[host_name])
    ip = models.GenericIPAddressField('IP address', null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.LIVE)
    owner = models.CharField(max_length=100, blank=True)
    rack = models.ForeignKey(Rack, on_delete=models.SET_NULL, null=True, blank=True, related_name='hosts')
    vm_host = models.ForeignKey('self', on_delete=models.SET_NULL, null=True, blank=True, related_name='guests')
    changed = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ['hostname']

    def __str__(self):
        return self.hostname


class Nic(models.Model):
    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name='nics')
    mac = models.CharField('MAC address', max_length=17, unique=True, validators=[mac_address])
    ip = models.GenericIPAddressField('IP address', null=True, blank=True)
    primary = models.BooleanField(default=False)

    class Meta:
        ordering = ['-primary', 'mac']
        verbose_name = 'network card'

    def __str__(self):
        return self.mac
