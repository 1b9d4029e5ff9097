# Varnish in front of a store. tests/cdn.rs runs this file; docs/cdn.md explains it. Replace what stands between @ signs:
#   @ORIGIN_NAME@ @ORIGIN_PORT@   host and port of the store
#   @ORIGIN_HOST@                 the Host header that the store expects
#   @ORIGIN_PATH@                 what keys are below: nothing, or /bucket for a bucket in path style
# TLS ends before Varnish (hitch, nginx, a load balancer).
vcl 4.1;

import std;

backend store {
    .host = "@ORIGIN_NAME@";
    .port = "@ORIGIN_PORT@";
    .host_header = "@ORIGIN_HOST@";
    .connect_timeout = 5s;
    .first_byte_timeout = 30s;
    # The first root is there for ever; asking for it tells whether the store is.
    .probe = {
        .request =
            "HEAD @ORIGIN_PATH@/root/1.root.json HTTP/1.1"
            "Host: @ORIGIN_HOST@"
            "Connection: close";
        .interval = 2s;
        .timeout = 5s;
        .window = 4;
        .threshold = 2;
        .initial = 2;
    }
}

# Who may throw an object out of the cache before its time.
acl purgers {
    "127.0.0.1";
    "::1";
}

sub vcl_recv {
    # One name, and nothing of the client that could make another answer of the same object.
    set req.http.Host = "@ORIGIN_HOST@";
    set req.url = regsub(req.url, "\?.*$", "");
    unset req.http.Cookie;
    unset req.http.Authorization;
    unset req.http.Origin;

    # Clients build the path of a root from that of their tenant; all tenants have the same roots.
    set req.url = regsub(req.url, "^/t/[a-z2-7]{32}/([0-9]{1,9}\.root\.json)$", "/root/\1");

    # What has not the form of a public object is not asked for: not state/, not a listing of the bucket.
    if (req.url !~ "^/(root/[0-9]{1,9}\.root\.json|t/[a-z2-7]{32}/(timestamp|[0-9]+\.snapshot|[0-9]+\.targets)\.json|o/[0-9a-f]{64}\.([0-9a-f]{64}|[a-z2-7]{32}\.manifest\.json))$") {
        return (synth(404));
    }
    if (req.method == "PURGE") {
        if (client.ip !~ purgers) {
            return (synth(405));
        }
        return (purge);
    }
    if (req.method == "OPTIONS") {
        return (synth(204));
    }
    if (req.method != "GET" && req.method != "HEAD") {
        return (synth(405));
    }

    # Nobody waits for the store where it is away: the last timestamp is as good as any, and its signature says until
    # when it holds. While it is there, nobody gets what is older than its time.
    if (std.healthy(req.backend_hint)) {
        set req.grace = 0s;
    }
    return (hash);
}

sub vcl_backend_fetch {
    set bereq.url = "@ORIGIN_PATH@" + bereq.url;
    # As it is stored: bundles are compressed already, and JSON that Varnish compresses has a weak ETag.
    unset bereq.http.Accept-Encoding;
}

sub vcl_backend_response {
    unset beresp.http.Set-Cookie;
    unset beresp.http.Vary;
    unset beresp.http.Expires;
    unset beresp.http.Server;
    unset beresp.http.x-amz-request-id;
    unset beresp.http.x-amz-id-2;
    unset beresp.http.x-amz-server-side-encryption;
    unset beresp.http.Seaweed-X-Amz-ETag;
    unset beresp.http.Seaweed-X-Amz-Owner;

    # A store answers 403 for what is missing to whoever may not list.
    if (beresp.status == 403 || beresp.status == 404) {
        set beresp.status = 404;
        set beresp.ttl = 10s;
        set beresp.grace = 0s;
        set beresp.http.Cache-Control = "public, max-age=10";
        set beresp.http.Content-Type = "text/plain; charset=utf-8";
        return (deliver);
    }
    # A fault over there is never kept, and never takes the place of what was good.
    if (beresp.status >= 500) {
        if (bereq.is_bgfetch) {
            return (abandon);
        }
        set beresp.uncacheable = true;
        set beresp.ttl = 0s;
        return (deliver);
    }
    # How long it may be shown while the store is away, and kept to ask whether it is still the same.
    set beresp.grace = 1d;
}

sub vcl_deliver {
    call for_every_origin;
    if (obj.hits > 0) {
        set resp.http.X-Cache = "HIT";
    } else {
        set resp.http.X-Cache = "MISS";
    }
    unset resp.http.Via;
    unset resp.http.X-Varnish;
}

sub vcl_synth {
    call for_every_origin;
    set resp.http.Content-Type = "text/plain; charset=utf-8";
    unset resp.http.Server;
    unset resp.http.X-Varnish;
    unset resp.http.Retry-After;
    if (resp.status == 204) {
        set resp.http.Access-Control-Allow-Methods = "GET, HEAD, OPTIONS";
        set resp.http.Access-Control-Allow-Headers = "If-None-Match, If-Range, Range";
        set resp.http.Access-Control-Max-Age = "86400";
        synthetic("");
    } else if (resp.status == 404) {
        set resp.http.Cache-Control = "public, max-age=10";
        synthetic({"there is no such object
"});
    } else if (resp.status == 405) {
        set resp.http.Allow = "GET, HEAD, OPTIONS";
        set resp.http.Cache-Control = "no-store";
        synthetic({"objects can only be read
"});
    } else {
        set resp.http.Cache-Control = "no-store";
        synthetic(resp.reason + {"
"});
    }
    return (deliver);
}

sub for_every_origin {
    set resp.http.Access-Control-Allow-Origin = "*";
    set resp.http.Access-Control-Expose-Headers = "Accept-Ranges, Age, Content-Range, ETag";
    set resp.http.Cross-Origin-Resource-Policy = "cross-origin";
    set resp.http.X-Content-Type-Options = "nosniff";
}
