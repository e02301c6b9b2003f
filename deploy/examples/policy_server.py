#!/usr/bin/env python3
"""A model server for the strategy `external`, in a few lines: each node keeps what it can serve and gives the rest to its
peers in even parts. Put a model in place of `decide`.

    python3 deploy/examples/policy_server.py 5000 10       # port, and what a node can serve a second

    [control]
    strategy = "external"
    [control.external]
    url = "http://127.0.0.1:5000"

Each period a node posts to /action what it measured of each function and gets, for each, parts that sum to 1: `local`,
`reject` (answered 503) and `node_NAME` for its peers. A node with a single function may also be answered without its name.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FORWARDED = "previous_fwd_to_node_"
CAPACITY = float(sys.argv[2]) if len(sys.argv) > 2 else 10.0


def decide(seen):
    """The parts of one function. Rates are invocations a second, times milliseconds, cpu_utilization percent."""
    peers = [key[len(FORWARDED):] for key in seen if key.startswith(FORWARDED) and not key.endswith("_rejected")]
    local = min(1.0, CAPACITY / seen["input_rate"]) if peers and seen["input_rate"] > 0 else 1.0
    parts = {f"node_{peer}": (1.0 - local) / len(peers) for peer in peers}
    return {"local": local, "reject": 0.0, **parts}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        if self.path != "/action":
            return self.send_error(404)
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = json.dumps({name: decide(seen) for name, seen in question["functions"].items()}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
