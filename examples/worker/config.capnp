# Runs the worker on this machine, in the runtime that Cloudflare's servers run.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    # The shop is on this machine, too.
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:8787", http = (), service = "worker")],
);

const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "dist/worker.js")],
  bindings = [(name = "SHOP_URL", fromEnvironment = "SHOP_URL")],
  compatibilityDate = "2026-01-01",
);
