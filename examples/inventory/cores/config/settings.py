"""Every setting comes from the environment (see .env.example), secrets from files."""
import importlib.util
import pathlib

import django

from .env import Environment

BASE_DIR = pathlib.Path(__file__).resolve().parent.parent
env = Environment()

HOST = env.text('HOSTNAME', 'localhost')
SECRET_KEY = env.secret('SECRET_KEY')
DEBUG = env.flag('DEBUG')
ADMIN_USER = env.text('ADMIN_USER', 'admin')
ADMIN_PASSWORD = env.secret('ADMIN_PASSWORD', required=False)

# The proxy in front is the only one who reaches this port, so its word on the scheme counts.
ALLOWED_HOSTS = [HOST, 'localhost', '127.0.0.1', 'cores']
SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')
CSRF_TRUSTED_ORIGINS = [HOST if django.VERSION < (4, 0) else f'https://{HOST}']
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = 'DENY'
SECURE_CONTENT_TYPE_NOSNIFF = True

DATABASES = {
    'default': {
        'ENGINE': 'django.db.backends.postgresql',
        'HOST': env.text('POSTGRES_HOST', 'postgres'),
        'PORT': env.number('POSTGRES_PORT', 5432, 1, 65535),
        'NAME': env.text('POSTGRES_DB', 'cores'),
        'USER': env.text('POSTGRES_USER', 'django'),
        'PASSWORD': env.secret('POSTGRES_PASSWORD'),
        'CONN_MAX_AGE': 60,
        'OPTIONS': {'connect_timeout': 5},
    }
}
DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'

INSTALLED_APPS = [
    'django.contrib.admin', 'django.contrib.auth', 'django.contrib.contenttypes', 'django.contrib.sessions',
    'django.contrib.messages', 'django.contrib.staticfiles', 'inventory',
]
MIDDLEWARE = [
    'django.middleware.security.SecurityMiddleware',
    'django.contrib.sessions.middleware.SessionMiddleware',
    'django.middleware.common.CommonMiddleware',
    'django.middleware.csrf.CsrfViewMiddleware',
    'django.contrib.auth.middleware.AuthenticationMiddleware',
    'django.contrib.messages.middleware.MessageMiddleware',
    'django.middleware.clickjacking.XFrameOptionsMiddleware',
]
TEMPLATES = [{
    'BACKEND': 'django.template.backends.django.DjangoTemplates',
    'APP_DIRS': True,
    'OPTIONS': {'context_processors': ['django.template.context_processors.request',
                                       'django.contrib.auth.context_processors.auth',
                                       'django.contrib.messages.context_processors.messages']},
}]
ROOT_URLCONF = 'config.urls'
WSGI_APPLICATION = 'config.wsgi.application'
STATIC_URL = '/static/'
STATIC_ROOT = env.text('STATIC_ROOT', '/srv/static')
TIME_ZONE = 'UTC'
USE_TZ = True
LANGUAGE_CODE = 'en-gb'

# Sign-in: LDAP by search, else LDAP by direct bind, else Kerberos; local users always work besides.
AUTHENTICATION_BACKENDS = ['django.contrib.auth.backends.ModelBackend']
ldap_search, ldap_direct = env.flag('LDAP_AUTH'), env.flag('LDAP_AUTH_DIRECT')
ldap_logging = env.flag('LDAP_LOGGING')
ldap_password = env.secret('LDAP_BIND_PASS', required=ldap_search)
if ldap_search or ldap_direct:
    env.require('LDAP', 'LDAP_URI', 'LDAP_SEARCH_PATH', *(['LDAP_BIND_DN'] if ldap_search else []))
    if importlib.util.find_spec('django_auth_ldap') is None:
        env.problems.append('LDAP_AUTH: install django-auth-ldap in the image (python3-django-auth-ldap in Debian)')
    else:
        from .ldap import settings_for
        globals().update(settings_for(env, ldap_search, ldap_password))
        AUTHENTICATION_BACKENDS.insert(0, 'django_auth_ldap.backend.LDAPBackend')

KERBEROS_REALM, KERBEROS_SERVICE = env.text('KERBEROS_REALM'), env.text('KERBEROS_SERVICE')
if env.flag('KERBEROS_AUTH'):
    env.require('Kerberos', 'KERBEROS_REALM', 'KERBEROS_SERVICE')
    if backend := env.text('KERBEROS_BACKEND'):
        AUTHENTICATION_BACKENDS.insert(0, backend)
    else:
        env.problems.append('KERBEROS_AUTH: this image has no Kerberos backend: add one to it and name its class in '
                            'KERBEROS_BACKEND, or set KERBEROS_AUTH=False')

EMAIL_HOST = env.optional('SMTP_SERVER') or ''
EMAIL_PORT = env.number('SMTP_PORT', 25, 1, 65535)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text('SMTP_FROM', 'noreply@cores.local')
EMAIL_BACKEND = f'django.core.mail.backends.{"smtp" if EMAIL_HOST else "dummy"}.EmailBackend'
EMAIL_TIMEOUT = 10

LOGGING = {
    'version': 1,
    'disable_existing_loggers': False,
    'handlers': {'console': {'class': 'logging.StreamHandler'}},
    'root': {'handlers': ['console'], 'level': 'INFO'},
    'loggers': {'django_auth_ldap': {'level': 'DEBUG' if ldap_logging else 'WARNING'}},
}

env.finish()
