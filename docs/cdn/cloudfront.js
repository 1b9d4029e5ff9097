// A CloudFront Function (runtime cloudfront-js-2.0) for the event "viewer request". tests/cdn.rs runs this file under Node;
// docs/cdn.md says what else the distribution needs.

var ROOT = /^\/t\/[a-z2-7]{32}\/([0-9]{1,9}\.root\.json)$/;
var PUBLIC =
  /^\/(root\/[0-9]{1,9}\.root\.json|t\/[a-z2-7]{32}\/(timestamp|[0-9]+\.snapshot|[0-9]+\.targets)\.json|o\/[0-9a-f]{64}\.([0-9a-f]{64}|[a-z2-7]{32}\.manifest\.json))$/;

function handler(event) {
  var request = event.request;
  // Clients build the path of a root from that of their tenant; all tenants have the same roots.
  var root = ROOT.exec(request.uri);
  if (root) request.uri = "/root/" + root[1];
  // What has not the form of a public object is not asked for: not state/, not a listing of the bucket.
  if (!PUBLIC.test(request.uri)) {
    return answer(404, "Not Found", { "cache-control": "public, max-age=10" });
  }
  if (request.method === "OPTIONS") {
    return answer(204, "No Content", {
      "access-control-allow-methods": "GET, HEAD, OPTIONS",
      "access-control-allow-headers": "If-None-Match, If-Range, Range",
      "access-control-max-age": "86400",
    });
  }
  // A query is no part of a key.
  request.querystring = {};
  return request;
}

function answer(statusCode, statusDescription, headers) {
  headers["access-control-allow-origin"] = "*";
  var values = {};
  Object.keys(headers).forEach(function (name) {
    values[name] = { value: headers[name] };
  });
  return { statusCode: statusCode, statusDescription: statusDescription, headers: values };
}
