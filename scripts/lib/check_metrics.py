"""Checks the administration of a server that is built; see scripts/check-metrics."""

import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

program, promtool = sys.argv[1:]
PATIENCE = 20.0


def fail(message):
    print(f"check-metrics: {message}", file=sys.stderr)
    sys.exit(1)


def expect(condition, what):
    if not condition:
        fail(f"failed: {what}")
    print(f"  {what}")


def ask(address, path):
    """The status and the body of the response."""
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=PATIENCE) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as response:
        return response.code, response.read().decode()


def series(text):
    """The value of each series, and the kind of each metric."""
    lines = text.splitlines()
    kinds = dict(line.split()[2:4] for line in lines if line.startswith("# TYPE "))
    values = {}
    for line in lines:
        if line and not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            if name in values:
                fail(f"{name} occurs twice")
            values[name] = float(value)
    return values, kinds


def only_grow(name, kinds):
    """Whether a series must not decrease: a counter, or a count of a histogram."""
    metric = name.split("{")[0]
    if kinds.get(metric) == "counter":
        return True
    return any(kinds.get(metric.removesuffix(end)) == "histogram" for end in ("_bucket", "_sum", "_count"))


def serve(model):
    server = subprocess.Popen(
        [program, "serve", "--model", model, "--port", "0", "--admin", "127.0.0.1:0", "--drain-timeout", "60s"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    served = re.search(r"listening on (\S+)", server.stdout.readline())
    administered = re.search(r"administration at http://([^/\s]+)/", server.stderr.readline())
    if not served or not administered:
        server.kill()
        fail(f"{model} does not print its address")
    return server, served[1], administered[1]


def check(model):
    print(f"{model}:")
    server, served, admin = serve(model)
    stalled = None
    try:
        expect(ask(admin, "/healthz") == (200, "ok\n"), "/healthz responds 200 while it serves")
        expect(ask(admin, "/readyz") == (200, "ready\n"), "/readyz responds 200 while it serves")
        expect(ask(admin, "/none")[0] == 404, "another path responds 404")
        first = ask(admin, "/metrics")[1]
        check_counts(served, admin)
        run = subprocess.run(
            [program, "client", "-n", "3", "--pause", "10ms", *served.rsplit(":", 1)], capture_output=True, text=True, timeout=60, check=False)
        expect(run.returncode == 0, "three clients are served")
        second = ask(admin, "/metrics")[1]
        lint = subprocess.run(
            [promtool, "check", "metrics"], input=second, capture_output=True, text=True, timeout=60, check=False)
        remarks = (lint.stdout + lint.stderr).strip()
        expect(lint.returncode == 0 and not remarks, f"promtool has no remarks{': ' if remarks else ''}{remarks}")
        before, kinds = series(first)
        after, _ = series(second)
        counters = [name for name in before if only_grow(name, kinds)]
        shrunk = [name for name in counters if after.get(name, -1.0) < before[name]]
        expect(counters and not shrunk, f"none of {len(counters)} counters has decreased ({len(after)} series)")
        expect(after["process_cpu_seconds_total"] > before["process_cpu_seconds_total"], "processor time has grown")
        stalled = stall(served)
        server.terminate()
        end = time.monotonic() + PATIENCE
        while (readiness := ask(admin, "/readyz")) == (200, "ready\n") and time.monotonic() < end:
            pass
        expect(readiness == (503, "draining\n"), "/readyz responds 503 while it drains")
        expect(ask(admin, "/healthz") == (200, "ok\n"), "/healthz responds 200 while it drains")
        expect(promtool_accepts(ask(admin, "/metrics")[1]), "/metrics responds while it drains")
        # An administration client that sends no request must not delay the exit.
        host, port = admin.rsplit(":", 1)
        silent = socket.create_connection((host, int(port)))
        stalled.close()
        _, errors = server.communicate(timeout=PATIENCE)
        expect(server.returncode == 0 and "stopped: " in errors, "the server exits with 0 and does not wait for a silent client")
        expect(silent.recv(1) == b"", "the silent client's connection is closed")
    finally:
        if server.poll() is None:
            server.kill()
        if stalled:
            stalled.close()


def check_counts(served, admin):
    """One client with ten messages, and the metrics that count it."""
    before, _ = series(ask(admin, "/metrics")[1])
    with socket.create_connection(tuple(served.rsplit(":", 1)), timeout=PATIENCE) as client:
        expect(client.recv(1) == b"*", "a client is greeted")
        for _ in range(10):
            client.sendall(b"^ab$")
            reply = b""
            while len(reply) < 2:
                reply += client.recv(2)
        client.shutdown(socket.SHUT_WR)
        while client.recv(1):
            pass
    wanted = {
        "uvserver_connections_accepted_total": 1, "uvserver_connections_open": 0, "uvserver_messages_total": 10,
        "uvserver_received_bytes_total": 40, "uvserver_sent_bytes_total": 21, "uvserver_reply_seconds_count": 10,
        "uvserver_buffered_bytes": 0}
    end = time.monotonic() + PATIENCE
    counted = {}
    while counted != wanted and time.monotonic() < end:
        after, _ = series(ask(admin, "/metrics")[1])
        counted = {name: after[name] - before[name] for name in wanted}
    expect(counted == wanted, f"connections, messages, bytes and latencies are counted{'' if counted == wanted else f': {counted}'}")


def promtool_accepts(text):
    return subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=60, check=False
    ).returncode == 0


def stall(served):
    """A client that does not read its replies, so that a drain cannot end."""
    host, port = served.rsplit(":", 1)
    client = socket.create_connection((host, int(port)))
    client.settimeout(0.3)
    try:
        while True:
            client.send(b"^" * 65536)
    except TimeoutError:
        return client


for model in ("libuv", "epoll", "threads"):
    check(model)
print("all checks passed")
