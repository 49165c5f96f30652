"""Checks the administration of a server; see scripts/check-metrics."""

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
    """Returns the status and the body of the response."""
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=DEADLINE) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as response:
        return response.code, response.read().decode()


def scrape(address):
    """Returns the text of the metrics, the value of each series, and the names of the series that must not decrease."""
    text = ask(address, "/metrics")[1]
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)", text, re.MULTILINE))
    lines = re.findall(r"^([^#\s].*) (\S+)$", text, re.MULTILINE)
    values = {name: float(value) for name, value in lines}
    expect(len(lines) == len(values), f"no series occurs twice ({len(lines)} series)")
    counters = [name for name in values if kinds.get(metric := name.split("{")[0]) == "counter"
                or kinds.get(re.sub("_(bucket|sum|count)$", "", metric)) == "histogram"]
    return text, values, counters


def expect_counts(port, admin):
    """Sends ten messages from one client, and checks that the metrics count them."""
    _, before, _ = scrape(admin)
    with connect(port) as client:
        expect(receive(client, 1) == b"*", "a client receives the greeting")
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
           "the metrics count connections, messages, bytes and replies" + ("" if counted == wanted else f": {counted}"))


def promtool_remarks(text):
    lint = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
    return (lint.stdout + lint.stderr).strip() or (f"exit code {lint.returncode}" if lint.returncode else "")


def stall(port):
    """Connects a client that does not read its replies, so that a drain cannot end."""
    client = connect(port)
    client.settimeout(0.3)
    try:
        while True:
            client.send(b"^" * 65536)
    except TimeoutError:
        return client


def check(server):
    # The program prints one line to standard output and one to standard error. They can arrive in any order.
    lines = f"{server.line()}\n{server.line()}"
    served, administered = re.search(r"listening on \S+:(\d+)", lines), re.search(r"at http://([^/\s]+)/", lines)
    if not served or not administered:
        raise Failure(f"the server does not print its addresses: {lines}")
    port, admin = served[1], administered[1]
    expect(ask(admin, "/healthz") == (200, "ok\n"), "/healthz responds 200 before the drain")
    expect(ask(admin, "/readyz") == (200, "ready\n"), "/readyz responds 200 before the drain")
    expect(ask(admin, "/none")[0] == 404, "an unknown path responds 404")
    _, before, counters = scrape(admin)
    expect_counts(port, admin)
    clients = subprocess.run([program, "client", "-n", "3", "--pause", "10ms", "127.0.0.1", port],
                             capture_output=True, timeout=60)
    expect(clients.returncode == 0, "the server serves three clients")
    text, after, _ = scrape(admin)
    remarks = promtool_remarks(text)
    expect(not remarks, f"promtool finds no problem{': ' if remarks else ''}{remarks}")
    shrunk = [name for name in counters if after.get(name, -1.0) < before[name]]
    expect(counters and not shrunk, f"no counter has decreased ({len(counters)} of {len(after)} series are counters)")
    expect(after["process_cpu_seconds_total"] > before["process_cpu_seconds_total"], "the processor time has increased")
    with stall(port):
        server.terminate()
        end = time.monotonic() + DEADLINE
        while (readiness := ask(admin, "/readyz")) == (200, "ready\n") and time.monotonic() < end:
            pass
        expect(readiness == (503, "draining\n"), "/readyz responds 503 during the drain")
        expect(ask(admin, "/healthz") == (200, "ok\n"), "/healthz responds 200 during the drain")
        expect(not promtool_remarks(ask(admin, "/metrics")[1]), "/metrics responds during the drain")
        # A client that connects to the administration but sends no request must not delay the exit.
        silent = connect(admin.rsplit(":", 1)[1])
    output, _ = server.process.communicate(timeout=DEADLINE)
    expect(server.process.returncode == 0 and "stopped: " in output,
           "the server exits with code 0, and does not wait for a silent client")
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
