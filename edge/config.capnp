# workerd's configuration: `workerd serve config.capnp`. tests/edge.rs runs this file; README.md explains it.
# Replace what stands between @ signs:
#   @LISTEN@       where shells connect, such as *:8787
#   @ORIGIN@       host and port of the store, such as store.internal:8333
#   @ORIGIN_URL@   what keys are appended to, such as http://store.internal:8333/bucket; its host is the Host header
#   @AUDIENCE@ @OPEN@   as in worker.js; nothing for neither
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    ( name = "edge", worker = .edge ),
    ( name = "store", external = ( address = "@ORIGIN@", http = () ) ),
  ],
  sockets = [ ( name = "http", address = "@LISTEN@", http = (), service = "edge" ) ],
);

const edge :Workerd.Worker = (
  modules = [ ( name = "worker.js", esModule = embed "worker.js" ) ],
  compatibilityDate = "2026-07-01",
  # It has nothing to ask of anybody but its store.
  globalOutbound = "store",
  bindings = [
    ( name = "ORIGIN", service = "store" ),
    ( name = "ORIGIN_URL", text = "@ORIGIN_URL@" ),
    ( name = "JWK", text = embed "jwk.json" ),
    ( name = "AUDIENCE", text = "@AUDIENCE@" ),
    ( name = "OPEN", text = "@OPEN@" ),
  ],
);
