"""Runs each program of examples/, and checks its output and its replies. usage: check.py DIRECTORY-OF-PROGRAMS"""

import random
import socket
import subprocess
import sys
import tempfile
import threading
import time

from programs import DEADLINE, Failure, Program, connect, converse, expect_equal, receive

BULK = bytes(range(251)) * 40_000  # ten megabytes


def start(name, *arguments):
    return Program(f"{sys.argv[1]}/{name}", *arguments, prefix=("stdbuf", "-oL"), stderr=subprocess.STDOUT)


def expect_lines(name, *arguments, lines):
    """Runs a program, and checks that it prints these lines and then exits."""
    with start(name, *arguments) as program:
        for line in lines:
            program.expect(line)
        program.expect_end()


def expect_exchange(port, sent, expected):
    """Sends bytes, shuts down the write side, and checks the whole reply."""
    with connect(port) as connection:
        expect_equal("reply", converse(connection, sent), expected)


def expect_byte(connection):
    connection.sendall(b"?")
    expect_equal("echo", receive(connection, 1), b"?")


def exchange_in_bulk(port):
    """Sends until the kernel accepts no more bytes, then reads, and checks that all bytes arrive in order."""
    with connect(port) as connection:
        sender = threading.Thread(target=lambda: (connection.sendall(BULK), connection.shutdown(socket.SHUT_WR)))
        sender.start()
        sender.join(0.2)
        expect_equal("bulk", receive(connection), BULK)
        sender.join()


def hello_loop():
    expect_lines("hello-loop", lines=["tick 1", "tick 2", "tick 3", "nothing left to do"])


def main_actor():
    expect_lines(
        "main-actor",
        lines=[
            "counted 1001",
            "read 5 bytes",
            "inner loop alive: false",
            "refused: yes",
            "counted on another loop: true",
        ],
    )


def main_actor_async():
    expect_lines("main-actor-async", lines=[r"refused: .*UVLoop\.run\(onThreadNamed:\).*", "counted 1000"])


def main_actor_default():
    expect_lines("main-actor-default", lines=["read 5 bytes, counted 3"])


def echo(name, closed_handles):
    """Tests an echo server, and stops it while a client is connected."""
    with start(name, 0) as program:
        port = program.listening_port()
        expect_exchange(port, b"is everyone there", b"is everyone there")
        exchange_in_bulk(port)
        with connect(port) as connection:
            expect_byte(connection)
            program.terminate()
            program.expect(rf"stopped; closed for us: {closed_handles}; buffers held: 0, in flight: 0")
            expect_equal("bytes on the open connection", receive(connection), b"")
        program.expect_end()


def echo_callbacks():
    echo("echo-callbacks", r'\["signal", "tcp", "tcp"\]')


def echo_async():
    echo("echo-async", r"\[\]")


def chat_room():
    with start("chat-room", 0) as program:
        port = program.listening_port()

        def enter(name):
            member = connect(port)
            member.sendall(name + b"\n")
            return member, member.makefile("rb")

        def expect_line(who, expected):
            expect_equal("chat room", who.readline(), expected + b"\n")

        alice, to_alice = enter(b"alice")
        expect_line(to_alice, b"* alice is here, with 0 others")
        bob, to_bob = enter(b"bob")
        expect_line(to_bob, b"* bob is here, with 1 others")
        expect_line(to_alice, b"* bob comes in")
        _, to_other_bob = enter(b"bob")
        expect_line(to_other_bob, b"* taken")
        expect_equal("the reply after a name that is taken", to_other_bob.read(), b"")
        alice.sendall(b"hello\nis every")
        alice.sendall(b"one there\n")
        expect_line(to_bob, b"alice: hello")
        expect_line(to_bob, b"alice: is everyone there")
        bob.sendall(b"yes\n")
        expect_line(to_alice, b"bob: yes")
        # The server disconnects a client that never reads, and keeps serving the other clients in the meantime.
        sleeper = enter(b"sleeper")
        expect_line(to_alice, b"* sleeper comes in")
        expect_line(to_bob, b"* sleeper comes in")
        line, count = b"x" * 4000, 4000
        talker = threading.Thread(target=lambda: alice.sendall((line + b"\n") * count))
        talker.start()
        lines = [to_bob.readline() for _ in range(count + 1)]
        talker.join()
        expect_equal("number of alice's lines", lines.count(b"alice: " + line + b"\n"), count)
        expect_equal("number of lines about the sleeper", lines.count(b"* sleeper goes\n"), 1)
        sleeper[0].close()
        bob.shutdown(socket.SHUT_RDWR)
        while (farewell := to_alice.readline()) == b"* sleeper goes\n":
            pass
        expect_equal("chat room", farewell, b"* bob goes\n")


def silent_listeners(count):
    """Blocks `count` consecutive ports, so that a connection attempt gets no response.

    Returns the first port, and the sockets that block the ports.
    """
    for _ in range(100):
        # These ports are below the ports that the kernel assigns to clients. A closed connection can occupy such a port
        # for a minute.
        first = random.randrange(10_000, 30_000)
        try:
            kept = [socket.create_server(("127.0.0.1", port), backlog=0) for port in range(first, first + count)]
        except OSError:
            continue
        for listener in kept[:count]:
            # Fill the backlog, so that the next connection attempt has to wait.
            for _ in range(3):
                kept.append(socket.socket())
                kept[-1].setblocking(False)
                kept[-1].connect_ex(listener.getsockname())
        return first, kept
    raise Failure(f"found no {count} consecutive free ports")


def port_scanner():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        expect_lines("port-scanner", port, port,
                     lines=[f"{port}: open", "1 ports tried, at most 64 at a time; 0 refused"])
    expect_lines("port-scanner", port, port, lines=["1 ports tried, at most 64 at a time; 1 refused"])
    first, kept = silent_listeners(4)
    began = time.monotonic()
    with start("port-scanner", first, first + 3, 2) as program:
        silent = [program.expect(r"(\d+): silent")[1] for _ in range(4)]
        expect_equal("silent ports", sorted(silent), [str(port) for port in range(first, first + 4)])
        program.expect("4 ports tried, at most 2 at a time; 0 refused")
        program.expect_end()
    # The program waits half a second for each port. With two ports at a time, four ports take at least a second.
    if time.monotonic() - began < 0.99:
        raise Failure("port-scanner: it tried more than two ports at a time")
    for each in kept:
        each.close()


def tcp_proxy():
    with start("echo-callbacks", 0) as target, start("tcp-proxy", 0, target.listening_port()) as program:
        port = program.listening_port()
        expect_exchange(port, b"through the proxy", b"through the proxy")
        exchange_in_bulk(port)
        target.process.kill()
        target.process.wait()
        expect_exchange(port, b"", b"")
        program.expect(
            r"cannot connect to the target: uv_tcp_connect: ECONNREFUSED \(connection refused\): 127\.0\.0\.1:\d+")


def tcp_proxy_keeps_little():
    """Checks that the proxy stops reading if the target does not read, instead of buffering all bytes in memory."""
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
                raise Failure(f"tcp-proxy: it uses {resident} bytes of memory with a target that does not read")
            peer.close()


def two_loops():
    with start("two-loops", 0) as program:
        port = program.listening_port()
        for digit in (b"0", b"1", b"2"):
            expect_exchange(port, digit, digit)
        with connect(port) as connection:
            expect_byte(connection)
            program.terminate()
            program.expect("accepting loop: 4 connections passed on")
            program.expect("serving loop: 1 connections closed; buffers in flight: 0")
        program.expect_end()


def increment_server():
    with start("increment-server", 0) as program:
        port = program.listening_port()
        expect_exchange(port, b"ignored^abc$ignored^de\xff^$", b"*bcdef\x00_")
        with connect(port) as first, connect(port) as second:
            expect_equal("greeting", receive(first, 1) + receive(second, 1), b"**")
            first.sendall(b"^")
            first.sendall(b"x")
            expect_equal("first", receive(first, 1), b"y")
            second.sendall(b"x^1$")
            expect_equal("second", receive(second, 1), b"2")


def echo_datagrams(program):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(DEADLINE)
        client.connect(("127.0.0.1", program.listening_port()))
        for datagram in (b"is everyone there", b"", bytes(8000)):
            client.send(datagram)
            expect_equal("datagram", client.recv(1 << 16), datagram)


def udp_echo():
    with start("udp-echo", 0) as program:
        echo_datagrams(program)


def udp_echo_async():
    with start("udp-echo-async", 0) as program:
        echo_datagrams(program)
        program.terminate()
        program.expect("stopped")
        program.expect_end()


def supervisor():
    """Tests a child that fails twice and then succeeds, and a child that runs until the supervisor stops it."""
    with tempfile.TemporaryDirectory() as folder:
        script = f'echo x >>{folder}/runs; test "$(wc -l <{folder}/runs)" = 3 || exit 7'
        expect_lines("supervisor", "sh", "-c", script, lines=[
            r"ended: exited\(7\); again in 0\.05 seconds", r"ended: exited\(7\); again in 0\.1 seconds",
            r"ended: exited\(0\)"])
    with start("supervisor", "sh", "-c", "echo ready; exec sleep 1000") as program:
        program.expect("ready")
        program.terminate()
        program.expect(r"ended: signalled\(15\)")
        program.expect_end()


def loop_metrics():
    """Checks that the metrics count bytes, and show that a callback has blocked the loop for 60 ms."""
    with start("loop-metrics", 0) as program:
        expect_exchange(program.listening_port(), b"!ab", b"!ab")
        program.expect_among(
            r"uv_loop_iteration_duration\{loop=main\} more than 20 ms",
            r"uv_loop_read_bytes\{loop=main\} \+3",
            r"uv_loop_written_bytes\{loop=main\} \+3",
        )
        program.expect_among(r"uv_loop_handles\{loop=main\} 2")
        program.terminate()
        while program.line() is not None:
            pass
        program.expect_end()


def line_server():
    """Tests lines on TCP and on a Unix domain socket, a line that is too long, and a graceful shutdown."""
    with tempfile.TemporaryDirectory() as folder, start("line-server", 0, f"{folder}/socket") as program:
        port = program.listening_port()
        expect_exchange(port, b"one\r\ntwo\nthree", b"eno\nowt\neerht\n")
        expect_exchange(port, b"x" * 5000, b"error: a line has at most 4096 bytes\n")
        with socket.socket(socket.AF_UNIX) as local:
            local.settimeout(DEADLINE)
            local.connect(f"{folder}/socket")
            local.sendall(b"local\n")
            expect_equal("local reply", receive(local, 6), b"lacol\n")
            program.terminate()
            # The server finishes the conversation with a client that is still connected.
            local.sendall(b"last\n")
            expect_equal("last reply", receive(local, 5), b"tsal\n")
        program.expect("stopped")
        program.expect_end()


def capture_output():
    expect_lines("capture-output", "cat; echo err >&2; exit 3", lines=[
        r"exited\(3\)", "standard output: from above", "standard error: err"])


def protocol_test():
    expect_lines("protocol-test", lines=["all replies are right"])


def lifecycle_service():
    """Tests an echo, and a graceful shutdown while a client is connected."""
    with start("lifecycle-service", 0) as program:
        port = program.listening_port()
        with connect(port) as connection:
            expect_byte(connection)
            program.terminate()
            expect_byte(connection)
        program.expect_among(r"stopped; closed for us: \[\]")
        while program.line() is not None:
            pass
        program.expect_end()


EXAMPLES = [hello_loop, echo_callbacks, echo_async, chat_room, port_scanner, tcp_proxy, tcp_proxy_keeps_little,
            two_loops, increment_server, udp_echo, udp_echo_async, supervisor, loop_metrics, main_actor,
            main_actor_async, main_actor_default, line_server, capture_output, protocol_test, lifecycle_service]
failed = 0
for test in EXAMPLES:
    name = test.__name__.replace("_", "-")
    try:
        test()
        print(f"{name}: as expected")
    except (Failure, OSError) as failure:
        failed += 1
        print(f"{name}: {failure}", file=sys.stderr)
print(f"examples: {len(EXAMPLES) - failed} passed, {failed} failed")
sys.exit(1 if failed else 0)
