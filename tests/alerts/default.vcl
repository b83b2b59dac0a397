vcl 4.1;

# Varnish in front of examples/alerts, as its operators had it before berth. Two faults are theirs: the Cache-Control
# field that it writes is not valid, and writing it before the built-in rules look makes private replies public.
# The test writes addresses into it.
backend frontend { .host = "@frontend@"; .port = "80"; }
backend tiles { .host = "@tiles@"; .port = "7800"; }
backend django { .host = "@backend@"; .port = "8000"; }
backend nginx { .host = "@nginx@"; .port = "80"; }

sub vcl_recv {
  if (req.url ~ "^/sagui") {
    set req.backend_hint = frontend;
  } else if (req.url ~ "^/tiles/") {
    set req.backend_hint = tiles;
    unset req.http.Cookie;
  } else if (req.url ~ "^/api/" || req.url ~ "^/dashboards/" || req.url ~ "^/admin/") {
    set req.backend_hint = django;
  } else {
    set req.backend_hint = nginx;
  }
}

sub vcl_backend_response {
  set beresp.http.Served-By = beresp.backend.name;
  if (beresp.status == 200) {
    set beresp.http.Cache-Control = "public; max-age=30";
    set beresp.ttl = @ttl@s;
  }
  set beresp.http.V-Cache-TTL = beresp.ttl;
  set beresp.http.V-Cache-Grace = beresp.grace;
}

sub vcl_deliver {
  if (obj.hits > 0) {
    set resp.http.V-Cache = "HIT";
  } else {
    set resp.http.V-Cache = "MISS";
  }
}
