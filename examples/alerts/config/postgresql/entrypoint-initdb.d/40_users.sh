#!/bin/sh
# The tile server's role: it may read what the backend's migrations give it, and nothing else.
set -eu
PGPASSWORD=$POSTGRES_PASSWORD psql -q -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" \
  -v password="$(cat "$TILES_PASSWORD_FILE")" <<'SQL'
CREATE ROLE tileserv LOGIN PASSWORD :'password';
GRANT USAGE ON SCHEMA guyane TO tileserv;
SQL
