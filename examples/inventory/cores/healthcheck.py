"""0 when the application on this machine answers and reaches its database."""
import sys
import urllib.request

request = urllib.request.Request('http://127.0.0.1:8000/healthz', headers={'X-Forwarded-Proto': 'https'})
try:
    with urllib.request.urlopen(request, timeout=4) as response:
        print(response.read().decode().strip())
except OSError as error:
    sys.exit(f'no answer: {error}')
