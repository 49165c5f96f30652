"""Sends messages through the echo servers, and checks that the servers release all buffers.

usage: buffers.py DIRECTORY-OF-PROGRAMS MESSAGES
"""

import subprocess
import sys

from programs import Failure, Program, connect, exchange

MESSAGE = b"a message of 16 "
directory, count = sys.argv[1], int(sys.argv[2])
for name in ("echo-callbacks", "echo-async"):
    with Program(f"{directory}/{name}", 0, prefix=("stdbuf", "-oL"), stderr=subprocess.STDOUT) as program:
        try:
            port = program.listening_port()
            connections = [connect(port) for _ in range(50)]
            exchange(connections, MESSAGE, MESSAGE, count)
            for connection in connections:
                connection.close()
            program.terminate()
            ending = program.expect(r"stopped; .*; (buffers held: 0, in flight: 0)")[1]
            program.expect_end()
        except (Failure, OSError) as failure:
            sys.exit(f"{name}: {failure}")
    print(f"{name}: {count} messages; {ending}")
