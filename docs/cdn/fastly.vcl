# Four VCL snippets for Fastly, one for each subroutine that is named. docs/cdn.md explains them. Not tested here:
# Fastly's VCL is its own, and Varnish does not read it.

# --- Type: recv
if (req.url.path ~ "^/t/[a-z2-7]{32}/([0-9]{1,9}\.root\.json)$") {
  # Clients build the path of a root from that of their tenant; all tenants have the same roots.
  set req.url = "/root/" re.group.1;
} else {
  # A query is no part of a key.
  set req.url = req.url.path;
}
# What has not the form of a public object is not asked for: not state/, not a listing of the bucket.
if (req.url !~ "^/(root/[0-9]{1,9}\.root\.json|t/[a-z2-7]{32}/(timestamp|[0-9]+\.snapshot|[0-9]+\.targets)\.json|o/[0-9a-f]{64}\.([0-9a-f]{64}|[a-z2-7]{32}\.manifest\.json))$") {
  error 604;
}
if (req.method == "OPTIONS") {
  error 624;
}
unset req.http.Cookie;
unset req.http.Authorization;
unset req.http.Origin;

# --- Type: fetch
if (beresp.status == 403 || beresp.status == 404) {
  # A store answers 403 for what is missing to whoever may not list.
  set beresp.status = 404;
  set beresp.cacheable = true;
  set beresp.ttl = 10s;
  set beresp.http.Cache-Control = "public, max-age=10";
  return(deliver);
}
if (beresp.status >= 500 && stale.exists) {
  return(deliver_stale);
}
# While the store is away the last timestamp is as good as any; while it is there nobody gets what is older than its time.
set beresp.stale_if_error = 86400s;
set beresp.stale_while_revalidate = 0s;
unset beresp.http.Vary;
unset beresp.http.Set-Cookie;

# --- Type: deliver
set resp.http.Access-Control-Allow-Origin = "*";
set resp.http.Access-Control-Expose-Headers = "Accept-Ranges, Age, Content-Range, ETag";
set resp.http.Cross-Origin-Resource-Policy = "cross-origin";
set resp.http.X-Content-Type-Options = "nosniff";
unset resp.http.x-amz-request-id;
unset resp.http.x-amz-id-2;
unset resp.http.Server;

# --- Type: error
if (obj.status == 604) {
  set obj.status = 404;
  set obj.response = "Not Found";
  set obj.http.Cache-Control = "public, max-age=10";
  set obj.http.Access-Control-Allow-Origin = "*";
  synthetic {"there is no such object"};
  return(deliver);
}
if (obj.status == 624) {
  set obj.status = 204;
  set obj.response = "No Content";
  set obj.http.Access-Control-Allow-Origin = "*";
  set obj.http.Access-Control-Allow-Methods = "GET, HEAD, OPTIONS";
  set obj.http.Access-Control-Allow-Headers = "If-None-Match, If-Range, Range";
  set obj.http.Access-Control-Max-Age = "86400";
  synthetic {""};
  return(deliver);
}
