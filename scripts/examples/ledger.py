"""Sends messages through the echo servers. usage: ledger.py DIRECTORY-OF-PROGRAMS MESSAGES"""

import select
import sys

from program import DEADLINE, Failure, Program, connect

CONNECTIONS = 50


def send(port, count):
    """Sends messages, one in flight on each connection, checks each reply, and returns the number of replies."""
    connections = [connect(port) for _ in range(CONNECTIONS)]
    by_descriptor = {connection.fileno(): connection for connection in connections}
    poll = select.epoll()
    message = b"a message of 16 "
    sent = answered = 0
    for connection in connections[:count]:
        poll.register(connection, select.EPOLLIN)
        connection.sendall(message)
        sent += 1
    while answered < count:
        ready = poll.poll(DEADLINE)
        if not ready:
            raise Failure(f"no reply after {answered} messages")
        for descriptor, _ in ready:
            connection = by_descriptor[descriptor]
            if connection.recv(64) != message:
                raise Failure(f"a wrong reply after {answered} messages")
            answered += 1
            if sent < count:
                connection.sendall(message)
                sent += 1
    poll.close()
    for connection in connections:
        connection.close()
    return answered


directory, count = sys.argv[1], int(sys.argv[2])
for name in ("echo-callbacks", "echo-async"):
    with Program(directory, name, 0) as program:
        try:
            answered = send(program.listening_port(), count)
            program.terminate()
            ending = program.expect(r"stopped; .*; (buffers held: 0, in flight: 0)")[0]
            program.expect_end()
        except (Failure, OSError) as failure:
            sys.exit(f"{name}: {failure}")
    print(f"{name}: {answered} messages; {ending}")
