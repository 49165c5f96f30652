"""Checks the administration of a server that is built; see scripts/check-metrics."""

import re
import subprocess
import sys
import time
import urllib.error
import urllib.request

from programs import DEADLINE, Failure, Program, connect, exchange, receive

program, promtool = sys.argv[1:]


def expect(condition, what):
    if not condition:
        raise Failure(f"failed: {what}")
    print(f"  {what}")


def ask(address, path):
    """The status and the body of the response."""
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=DEADLINE) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as response:
        return response.code, response.read().decode()


def scrape(address):
    """The text of the metrics, the value of each series, and those of them that must not decrease."""
    text = ask(address, "/metrics")[1]
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)", text, re.MULTILINE))
    lines = re.findall(r"^([^#\s].*) (\S+)$", text, re.MULTILINE)
    values = {name: float(value) for name, value in lines}
    expect(len(lines) == len(values), f"none of {len(lines)} series occurs twice")
    counters = [name for name in values if kinds.get(metric := name.split("{")[0]) == "counter"
                or kinds.get(re.sub("_(bucket|sum|count)$", "", metric)) == "histogram"]
    return text, values, counters


def expect_counts(port, admin):
    """One client with ten messages, and the metrics that count it."""
    _, before, _ = scrape(admin)
    with connect(port) as client:
        expect(receive(client, 1) == b"*", "a client is greeted")
        exchange([client], b"^ab$", b"bc", 10)
    wanted = {
        "uvserver_connections_accepted_total": 1, "uvserver_connections_open": 0, "uvserver_messages_total": 10,
        "uvserver_received_bytes_total": 40, "uvserver_sent_bytes_total": 21, "uvserver_reply_seconds_count": 10,
        "uvserver_buffered_bytes": 0}
    end, counted = time.monotonic() + DEADLINE, {}
    while counted != wanted and time.monotonic() < end:
        values = dict(line.rsplit(" ", 1) for line in ask(admin, "/metrics")[1].splitlines())
        counted = {name: float(values[name]) - before[name] for name in wanted}
    expect(counted == wanted,
           "connections, messages, bytes and latencies are counted" + ("" if counted == wanted else f": {counted}"))


def promtool_remarks(text):
    lint = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
    return (lint.stdout + lint.stderr).strip() or (f"exit code {lint.returncode}" if lint.returncode else "")


def stall(port):
    """A client that does not read its replies, so that a drain cannot end."""
    client = connect(port)
    client.settimeout(0.3)
    try:
        while True:
            client.send(b"^" * 65536)
    except TimeoutError:
        return client


def check(server):
    # The program prints both lines at once, to standard output and standard error.
    lines = f"{server.line()}\n{server.line()}"
    served, administered = re.search(r"listening on \S+:(\d+)", lines), re.search(r"at http://([^/\s]+)/", lines)
    if not served or not administered:
        raise Failure(f"it does not print its addresses: {lines}")
    port, admin = served[1], administered[1]
    expect(ask(admin, "/healthz") == (200, "ok\n"), "/healthz responds 200 while it serves")
    expect(ask(admin, "/readyz") == (200, "ready\n"), "/readyz responds 200 while it serves")
    expect(ask(admin, "/none")[0] == 404, "another path responds 404")
    _, before, counters = scrape(admin)
    expect_counts(port, admin)
    clients = subprocess.run([program, "client", "-n", "3", "--pause", "10ms", "127.0.0.1", port],
                             capture_output=True, timeout=60)
    expect(clients.returncode == 0, "three clients are served")
    text, after, _ = scrape(admin)
    remarks = promtool_remarks(text)
    expect(not remarks, f"promtool has no remarks{': ' if remarks else ''}{remarks}")
    shrunk = [name for name in counters if after.get(name, -1.0) < before[name]]
    expect(counters and not shrunk, f"none of {len(counters)} counters has decreased ({len(after)} series)")
    expect(after["process_cpu_seconds_total"] > before["process_cpu_seconds_total"], "processor time has grown")
    with stall(port):
        server.terminate()
        end = time.monotonic() + DEADLINE
        while (readiness := ask(admin, "/readyz")) == (200, "ready\n") and time.monotonic() < end:
            pass
        expect(readiness == (503, "draining\n"), "/readyz responds 503 while it drains")
        expect(ask(admin, "/healthz") == (200, "ok\n"), "/healthz responds 200 while it drains")
        expect(not promtool_remarks(ask(admin, "/metrics")[1]), "/metrics responds while it drains")
        # An administration client that sends no request must not delay the exit.
        silent = connect(admin.rsplit(":", 1)[1])
    output, _ = server.process.communicate(timeout=DEADLINE)
    expect(server.process.returncode == 0 and "stopped: " in output,
           "the server exits with 0 and does not wait for a silent client")
    expect(silent.recv(1) == b"", "the silent client's connection is closed")


for model in ("libuv", "epoll", "threads"):
    print(f"{model}:")
    with Program(program, "serve", "--model", model, "--port", 0, "--admin", "127.0.0.1:0", "--drain-timeout", "60s",
                 stderr=subprocess.STDOUT) as server:
        try:
            check(server)
        except Failure as failure:
            sys.exit(f"check-metrics: {model}: {failure}")
print("all checks passed")
