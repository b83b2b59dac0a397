from django.db import connection
from django.db.models import OuterRef, Subquery
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render

from .models import Level, Station


def known():
    last = Level.objects.filter(station=OuterRef('pk')).values('metres')[:1]
    return Station.objects.annotate(level=Subquery(last))


def described(station):
    alert = station.level is not None and station.level > station.limit
    return {'slug': station.slug, 'name': station.name, 'limit': station.limit, 'level': station.level, 'alert': alert}


def health(request):
    with connection.cursor() as cursor:
        cursor.execute('SELECT 1')
    return JsonResponse({"status": "ok"})


def stations(request):
    return JsonResponse({'stations': [described(station) for station in known()]})


def station(request, slug):
    found = known().filter(slug=slug).first()
    if not found:
        raise Http404(slug)
    return JsonResponse(described(found))


def me(request):
    """Who asks. For this client alone, also where nobody is signed in."""
    user = request.user.get_username() or None
    return JsonResponse({'user': user}, headers={'Cache-Control': 'private, max-age=5'})


def visit(request):
    reply = HttpResponse('welcome\n', content_type='text/plain')
    reply.set_cookie('visited', 'yes')
    return reply


def dashboard(request):
    return render(request, 'alerts/dashboard.html', {'stations': [described(station) for station in known()]})
