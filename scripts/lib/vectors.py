"""Checks a server's replies to the conversations of a file of vectors.
usage: vectors.py HOST PORT VECTORS.json     exit code 1 if a reply is wrong"""

import json
import socket
import sys


def converse(address, greeting, chunks):
    """All bytes that the server sends until end of stream, for chunks that are sent one after another."""
    with socket.create_connection(address, timeout=10) as connection:
        connection.settimeout(10)
        received = connection.recv(1)
        if received != greeting:
            return received
        for chunk in chunks:
            connection.sendall(chunk)
        connection.shutdown(socket.SHUT_WR)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
        return greeting + b"".join(parts)


def main(host, port, path):
    with open(path, encoding="utf-8") as file:
        conversations = json.load(file)
    greeting = bytes.fromhex(conversations["greeting_hex"])
    wrong = 0
    for vector in conversations["vectors"]:
        chunks = [bytes.fromhex(chunk) for chunk in vector["chunks_hex"]]
        expected = greeting + bytes.fromhex(vector["answer_hex"])
        # Cut as in the file, in one piece, and into single bytes.
        whole = b"".join(chunks)
        cuts = [chunks, [whole], [whole[i : i + 1] for i in range(len(whole))] if len(whole) <= 4096 else [whole]]
        for cut in cuts:
            if converse((host, int(port)), greeting, cut) != expected:
                print(f"wrong reply: {vector['name']}", file=sys.stderr)
                wrong += 1
    print(f"{len(conversations['vectors'])} conversations, each cut three ways: {wrong} wrong replies")
    return 1 if wrong else 0


sys.exit(main(*sys.argv[1:4]) if len(sys.argv) == 4 else __doc__)
