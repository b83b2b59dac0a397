import os
import urllib.request

url = urllib.request.Request('http://127.0.0.1:8000/api/health', headers={'Host': os.environ['SITE_HOST']})
urllib.request.urlopen(url, timeout=4).read()
