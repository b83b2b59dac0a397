"""Vector tiles of every table with a geometry that this role may read, made by PostGIS.

    /tiles/index.json                    the layers
    /tiles/SCHEMA.TABLE.json             one layer
    /tiles/SCHEMA.TABLE/Z/X/Y.pbf        a tile; 204 where nothing is

The connection's parameters are libpq's variables; PGPASSWORD_FILE names a file with the password.
"""
import contextlib
import json
import os
import re
import threading

import psycopg2
from psycopg2 import sql

TILE = re.compile(r'/tiles/(\w+)\.(\w+)/(\d{1,2})/(\d{1,8})/(\d{1,8})\.(?:pbf|mvt)')
LAYER = re.compile(r'/tiles/(\w+)\.(\w+)\.json')
MOST_ZOOM = 22

LAYERS = '''
SELECT g.f_table_schema, g.f_table_name, g.f_geometry_column, g.srid, g.type,
       array(SELECT c.column_name::text FROM information_schema.columns c
             WHERE c.table_schema = g.f_table_schema AND c.table_name = g.f_table_name AND c.udt_name <> 'geometry'
             ORDER BY c.ordinal_position)
FROM geometry_columns g
WHERE g.srid > 0 AND has_table_privilege(format('%I.%I', g.f_table_schema, g.f_table_name), 'SELECT')
ORDER BY 1, 2'''

TILE_OF = '''
WITH tile AS (SELECT ST_TileEnvelope(%(z)s, %(x)s, %(y)s) AS box),
     shapes AS (SELECT ST_AsMVTGeom(ST_Transform(t.{geometry}, 3857), tile.box) AS shape {columns}
                FROM {table} t, tile WHERE t.{geometry} && ST_Transform(tile.box, %(srid)s) ORDER BY t.ctid)
SELECT ST_AsMVT(shapes.*, %(name)s, 4096, 'shape') FROM shapes WHERE shape IS NOT NULL'''

kept = threading.local()


def connection():
    """One per thread, made anew when the database went away."""
    if getattr(kept, 'connection', None) is None or kept.connection.closed:
        secret = os.environ.get('PGPASSWORD_FILE')
        password = {}
        if secret:
            with open(secret) as file:
                password['password'] = file.read().strip()
        kept.connection = psycopg2.connect('', connect_timeout=5, **password)
        kept.connection.set_session(readonly=True, autocommit=True)
    return kept.connection


def query(text, parameters=None):
    with contextlib.closing(connection().cursor()) as cursor:
        cursor.execute(text, parameters)
        return cursor.fetchall()


def layers():
    keys = ('schema', 'table', 'geometry', 'srid', 'type', 'columns')
    return {f'{row[0]}.{row[1]}': dict(zip(keys, row)) for row in query(LAYERS)}


def described(name, layer):
    return {'tilejson': '3.0.0', 'name': name, 'geometry': layer['type'],
            'tiles': [f'/tiles/{name}/{{z}}/{{x}}/{{y}}.pbf'],
            'vector_layers': [{'id': name, 'fields': {column: '' for column in layer['columns']}}]}


def tile(name, layer, z, x, y):
    columns = sql.SQL('').join(sql.SQL(', t.{}').format(sql.Identifier(c)) for c in layer['columns'])
    text = sql.SQL(TILE_OF).format(table=sql.Identifier(layer['schema'], layer['table']), columns=columns,
                                   geometry=sql.Identifier(layer['geometry']))
    return bytes(query(text, {'z': z, 'x': x, 'y': y, 'srid': layer['srid'], 'name': name})[0][0])


def answer(path):
    """(status, type, body) of a GET."""
    if path == '/tiles/index.json':
        return '200 OK', 'application/json', json.dumps({n: described(n, l) for n, l in layers().items()}).encode()
    match = TILE.fullmatch(path) or LAYER.fullmatch(path)
    name = f'{match[1]}.{match[2]}' if match else ''
    layer = layers().get(name)
    if not layer:
        return '404 Not Found', 'text/plain', b'no such layer\n'
    if match.re is LAYER:
        return '200 OK', 'application/json', json.dumps(described(name, layer)).encode()
    z, x, y = (int(match[i]) for i in (3, 4, 5))
    if z > MOST_ZOOM or x >= 2**z or y >= 2**z:
        return '400 Bad Request', 'text/plain', b'no such tile\n'
    body = tile(name, layer, z, x, y)
    return ('200 OK' if body else '204 No Content'), 'application/vnd.mapbox-vector-tile', body


def application(environment, start):
    if environment['REQUEST_METHOD'] not in ('GET', 'HEAD'):
        start('405 Method Not Allowed', [('Allow', 'GET, HEAD'), ('Content-Length', '0')])
        return []
    try:
        status, kind, body = answer(environment['PATH_INFO'])
    except psycopg2.Error as error:
        print(f'tiles: {error}', flush=True)
        kept.connection = None
        status, kind, body = '503 Service Unavailable', 'text/plain', b'no database\n'
    fields = [('Content-Type', kind), ('Content-Length', str(len(body)))]
    # What a request brought is told, so that whoever stands in front can be checked.
    fields.append(('X-Cookies', str(len(environment.get('HTTP_COOKIE', '')))))
    start(status, fields if not status.startswith('204') else fields[2:])
    return [body] if environment['REQUEST_METHOD'] == 'GET' else []
