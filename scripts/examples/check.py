"""Runs each program of examples/, talks to it, and compares what it says. usage: check.py DIRECTORY-OF-PROGRAMS"""

import socket
import sys
import tempfile
import threading

from program import DEADLINE, Failure, Program, connect, exchange, expect_equal, receive, receive_to_end

directory = sys.argv[1]
BULK = bytes(range(251)) * 40_000  # ten megabytes


def start(name, *arguments):
    return Program(directory, name, *arguments)


def hello_loop():
    with start("hello-loop") as program:
        for tick in (1, 2, 3):
            program.expect(f"tick {tick}")
        program.expect("nothing left to do")
        program.expect_end()


def exchange_in_bulk(port):
    """Sends while nothing is read, as far as that goes, and reads only then: all must come, in order."""
    with connect(port) as connection:
        sender = threading.Thread(target=lambda: (connection.sendall(BULK), connection.shutdown(socket.SHUT_WR)))
        sender.start()
        sender.join(0.2)
        expect_equal("bulk", receive_to_end(connection), BULK)
        sender.join()


def echo_callbacks():
    with start("echo-callbacks", 0) as program:
        port = program.listening_port()
        expect_equal("echo", exchange(port, b"is anybody there"), b"is anybody there")
        exchange_in_bulk(port)
        with connect(port) as connection:
            connection.sendall(b"?")
            expect_equal("echo", receive(connection, 1), b"?")
            program.terminate()
            program.expect(r'stopped; closed for us: \["signal", "tcp", "tcp"\]; buffers in flight: 0')
        program.expect_end()


def tcp_proxy():
    with start("echo-callbacks", 0) as target, start("tcp-proxy", 0, target.listening_port()) as program:
        port = program.listening_port()
        expect_equal("proxy", exchange(port, b"through the proxy"), b"through the proxy")
        exchange_in_bulk(port)
        target.process.kill()
        target.process.wait()
        expect_equal("proxy without a target", exchange(port, b""), b"")
        program.expect(r"the target does not answer: uv_tcp_connect: ECONNREFUSED \(connection refused\)")


def tcp_proxy_keeps_little():
    """A client that sends and never reads: the proxy stops reading long before all is in its memory."""
    with socket.create_server(("127.0.0.1", 0)) as target:
        with start("tcp-proxy", 0, target.getsockname()[1]) as program, connect(program.listening_port()) as client:
            peer, _ = target.accept()
            client.settimeout(1)
            try:
                while True:
                    client.sendall(BULK)
            except TimeoutError:
                pass
            with open(f"/proc/{program.process.pid}/statm") as file:
                resident = int(file.read().split()[1]) * 4096
            if resident > 100_000_000:
                raise Failure(f"tcp-proxy: {resident} bytes resident with a target that does not read")
            peer.close()


def two_loops():
    with start("two-loops", 0) as program:
        port = program.listening_port()
        for number in range(3):
            expect_equal("two loops", exchange(port, b"%d" % number), b"%d" % number)
        with connect(port) as connection:
            connection.sendall(b"?")
            expect_equal("two loops", receive(connection, 1), b"?")
            program.terminate()
            program.expect("accepting loop: 4 connections passed on")
            program.expect("serving loop: 1 connections closed; buffers in flight: 0")
        program.expect_end()


def increment_server():
    with start("increment-server", 0) as program:
        port = program.listening_port()
        expect_equal("protocol", exchange(port, b"ignored^abc$ignored^de\xff^$"), b"*bcdef\x00_")
        with connect(port) as first, connect(port) as second:
            expect_equal("greeting", receive(first, 1) + receive(second, 1), b"**")
            for byte in b"^x":
                first.sendall(bytes([byte]))
            expect_equal("first", receive(first, 1), b"y")
            second.sendall(b"x^1$")
            expect_equal("second", receive(second, 1), b"2")


def udp_echo():
    with start("udp-echo", 0) as program, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(DEADLINE)
        client.connect(("127.0.0.1", program.listening_port()))
        for datagram in (b"is anybody there", b"", bytes(8000)):
            client.send(datagram)
            expect_equal("datagram", client.recv(1 << 16), datagram)


def supervisor():
    """A child that fails twice and then succeeds; one that never ends, until the supervisor is told to."""
    with tempfile.TemporaryDirectory() as folder:
        script = f'echo x >>{folder}/runs; test "$(wc -l <{folder}/runs)" = 3 || exit 7'
        with start("supervisor", "sh", "-c", script) as program:
            program.expect(r"ended: exited\(7\); again in 0\.05 seconds")
            program.expect(r"ended: exited\(7\); again in 0\.1 seconds")
            program.expect(r"ended: exited\(0\)")
            program.expect_end()
    with start("supervisor", "sh", "-c", "echo ready; exec sleep 1000") as program:
        program.expect("ready")
        program.terminate()
        program.expect(r"ended: signalled\(15\)")
        program.expect_end()


EXAMPLES = [
    hello_loop, echo_callbacks, tcp_proxy, tcp_proxy_keeps_little, two_loops, increment_server,
]

failed = 0
for example in EXAMPLES:
    try:
        example()
        print(f"{example.__name__.replace('_', '-')}: as expected")
    except (Failure, OSError) as failure:
        failed += 1
        print(f"{example.__name__.replace('_', '-')}: {failure}", file=sys.stderr)
print(f"examples: {len(EXAMPLES) - failed} passed, {failed} failed")
sys.exit(1 if failed else 0)
