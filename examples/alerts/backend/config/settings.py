"""Secrets come as files: the database's password, and django_env, a whole dotenv file."""
import os
import pathlib
import shlex


def secret(name):
    return pathlib.Path(os.environ[f'{name}_FILE']).read_text()


dotenv = dict(word.split('=', 1) for word in shlex.split(secret('DJANGO_ENV'), comments=True))
HOST = os.environ['SITE_HOST']

BASE_DIR = pathlib.Path(__file__).resolve().parent.parent
SECRET_KEY = dotenv['SECRET_KEY']
ADMIN_USER = dotenv.get('ADMIN_USER', 'admin')
DEBUG = False
ALLOWED_HOSTS = [HOST, 'localhost', 'backend']
# The proxy in front is the only one who reaches this port, so its word on the scheme counts.
SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')
CSRF_TRUSTED_ORIGINS = [HOST]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True

DATABASES = {'default': {
    'ENGINE': 'django.db.backends.postgresql', 'HOST': os.environ['POSTGRES_HOST'], 'NAME': 'alerts', 'USER': 'alerts',
    'PASSWORD': secret('POSTGRES_PASSWORD').strip(), 'CONN_MAX_AGE': 60,
    'OPTIONS': {'connect_timeout': 5, 'options': '-c search_path=guyane,public'},
}}
DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'
INSTALLED_APPS = ['django.contrib.admin', 'django.contrib.auth', 'django.contrib.contenttypes',
                  'django.contrib.sessions', 'django.contrib.messages', 'django.contrib.staticfiles', 'alerts']
MIDDLEWARE = ['django.middleware.security.SecurityMiddleware', 'django.contrib.sessions.middleware.SessionMiddleware',
              'django.middleware.common.CommonMiddleware', 'django.middleware.csrf.CsrfViewMiddleware',
              'django.contrib.auth.middleware.AuthenticationMiddleware',
              'django.contrib.messages.middleware.MessageMiddleware']
TEMPLATES = [{'BACKEND': 'django.template.backends.django.DjangoTemplates', 'APP_DIRS': True,
              'OPTIONS': {'context_processors': ['django.template.context_processors.request',
                                                 'django.contrib.auth.context_processors.auth',
                                                 'django.contrib.messages.context_processors.messages']}}]
ROOT_URLCONF = 'config.urls'
WSGI_APPLICATION = 'config.wsgi.application'
STATIC_URL = '/static/'
STATIC_ROOT = '/srv/static'
TIME_ZONE = 'UTC'
USE_TZ = True
