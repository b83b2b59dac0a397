"""What every call of the API shares: who calls, may they, and what an error looks like."""
import base64
import binascii
import functools
import json

from django.contrib.auth import authenticate
from django.http import JsonResponse
from django.views.decorators.csrf import csrf_exempt, csrf_protect

LARGEST_BODY = 64 * 1024


class ApiError(Exception):
    def __init__(self, status, message, fields=None):
        super().__init__(message)
        self.status, self.message, self.fields = status, message, fields


def basic_user(request):
    """The user of an Authorization: Basic header; None without one."""
    kind, _, value = request.headers.get('Authorization', '').partition(' ')
    if kind.lower() != 'basic':
        return None
    if not request.is_secure():
        raise ApiError(403, 'HTTP Basic is refused without TLS')
    try:
        name, colon, password = base64.b64decode(value, validate=True).decode().partition(':')
    except (binascii.Error, UnicodeDecodeError):
        name = colon = password = ''
    user = authenticate(request, username=name, password=password) if colon and password else None
    if user is None:
        raise ApiError(401, 'wrong user or password')
    return user


def body_of(request):
    if request.content_type != 'application/json':
        raise ApiError(415, 'the body must be application/json')
    if int(request.headers.get('Content-Length') or 0) > LARGEST_BODY:
        raise ApiError(413, f'the body is larger than {LARGEST_BODY} bytes')
    try:
        body = json.loads(request.body)
    except ValueError as error:
        raise ApiError(400, f'the body is not JSON: {error}') from error
    if not isinstance(body, dict):
        raise ApiError(400, 'the body must be a JSON object')
    return body


def refusal(error):
    answer = JsonResponse({'error': error.message, **({'fields': error.fields} if error.fields else {})},
                          status=error.status)
    if error.status == 401:
        answer['WWW-Authenticate'] = 'Basic realm="inventory", charset="UTF-8"'
    return answer


def endpoint(**methods):
    """A view from {METHOD: (permission, function)}; the function returns a JsonResponse or raises ApiError."""

    def dispatch(request, **arguments):
        try:
            if request.method not in methods:
                raise ApiError(405, f'use {", ".join(sorted(methods))}')
            permission, function = methods[request.method]
            if not request.user.has_perm(permission):
                raise ApiError(403, f'{request.user.get_username()} lacks the permission {permission}')
            return function(request, **arguments)
        except ApiError as error:
            return refusal(error)

    # A session travels by itself, so it needs the CSRF token; Basic is sent on purpose.
    by_session = csrf_protect(dispatch)

    @csrf_exempt
    @functools.wraps(dispatch)
    def view(request, **arguments):
        try:
            user = basic_user(request)
            if user is None and not request.user.is_authenticated:
                raise ApiError(401, 'sign in first')
        except ApiError as error:
            return refusal(error)
        if user is None:
            return by_session(request, **arguments)
        request.user = user
        return dispatch(request, **arguments)

    return view
