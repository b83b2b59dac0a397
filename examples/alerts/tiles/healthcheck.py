import urllib.request

urllib.request.urlopen('http://127.0.0.1:7800/tiles/index.json', timeout=4).read()
