from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render

from .api import ApiError, body_of, endpoint
from .models import Host, Nic, Rack

MOST_ROWS = 500
HOST_FIELDS = {'hostname', 'ip', 'status', 'owner', 'rack', 'nics'}
NIC_FIELDS = {'mac', 'ip', 'primary'}


def start(request):
    counts = {status.label: Host.objects.filter(status=status).count() for status in Host.Status}
    return render(request, 'inventory/start.html', {'counts': counts})


def health(request):
    with connection.cursor() as cursor:
        cursor.execute('SELECT 1')
    return HttpResponse('ok\n', content_type='text/plain')


def as_json(host):
    return {
        'hostname': host.hostname, 'ip': host.ip, 'status': host.status, 'owner': host.owner,
        'rack': str(host.rack) if host.rack else None,
        'nics': [{'mac': nic.mac, 'ip': nic.ip, 'primary': nic.primary} for nic in host.nics.all()],
        'changed': host.changed.isoformat(),
    }


def number(request, name, default, most):
    value = request.GET.get(name, str(default))
    if not (value.isascii() and value.isdigit()) or int(value) > most:
        raise ApiError(400, f'{name}: a number from 0 to {most}')
    return int(value)


def list_hosts(request):
    limit, offset = number(request, 'limit', 100, MOST_ROWS), number(request, 'offset', 0, 10**9)
    hosts = Host.objects.select_related('rack__lab__building').prefetch_related('nics')
    return JsonResponse({'count': hosts.count(), 'results': [as_json(h) for h in hosts[offset:offset + limit]]})


def refuse_unknown(values, known, where):
    if unknown := sorted(values.keys() - known):
        raise ApiError(400, f'unknown field in {where}', {name: ['no such field'] for name in unknown})


def rack_of(number_or_none):
    if number_or_none is None:
        return None
    rack = Rack.objects.filter(pk=number_or_none).first() if isinstance(number_or_none, int) else None
    if rack is None:
        raise ApiError(400, 'invalid host', {'rack': ['no rack has this number']})
    return rack


def save_host(values):
    refuse_unknown(values, HOST_FIELDS, 'the host')
    nics = values.pop('nics', [])
    if not isinstance(nics, list) or not all(isinstance(nic, dict) for nic in nics):
        raise ApiError(400, 'invalid host', {'nics': ['a list of objects']})
    host = Host(**{**values, 'rack': rack_of(values.get('rack'))})
    host.full_clean()
    host.save()
    for nic in nics:
        refuse_unknown(nic, NIC_FIELDS, 'a network card')
        card = Nic(host=host, **nic)
        card.full_clean()
        card.save()
    return host


def add_host(request):
    try:
        with transaction.atomic():
            host = save_host(body_of(request))
    except ValidationError as error:
        raise ApiError(400, 'invalid host', error.message_dict) from error
    return JsonResponse(as_json(host), status=201)


def find_host(name):
    host = Host.objects.filter(hostname=name).first()
    if host is None:
        raise ApiError(404, f'no host {name}')
    return host


def show_host(request, name):
    return JsonResponse(as_json(find_host(name)))


def delete_host(request, name):
    find_host(name).delete()
    return HttpResponse(status=204)


hosts = endpoint(GET=('inventory.view_host', list_hosts), POST=('inventory.add_host', add_host))
host = endpoint(GET=('inventory.view_host', show_host), DELETE=('inventory.delete_host', delete_host))
