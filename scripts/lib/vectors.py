"""Checks a server's replies to the conversations in a file of test vectors.
usage: vectors.py HOST PORT VECTORS.json     exits with code 1 if a reply is wrong"""

import json
import sys

from programs import connect, converse, receive

if len(sys.argv) != 4:
    sys.exit(__doc__)
host, port, path = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    conversations = json.load(file)
wrong = 0
for vector in conversations["vectors"]:
    chunks = [bytes.fromhex(chunk) for chunk in vector["chunks_hex"]]
    expected = bytes.fromhex(conversations["greeting_hex"] + vector["answer_hex"])
    # Send the conversation in the chunks of the file, in one piece, and (if it is short) byte by byte.
    whole = b"".join(chunks)
    for cut in (chunks, [whole], [bytes([byte]) for byte in whole] if len(whole) <= 4096 else [whole]):
        with connect(port, host) as connection:
            if receive(connection, 1) + converse(connection, *cut) != expected:
                print(f"wrong reply: {vector['name']}", file=sys.stderr)
                wrong += 1
print(f"{len(conversations['vectors'])} conversations, each sent in three ways: {wrong} wrong replies")
sys.exit(1 if wrong else 0)
