"""Prints a table of libuv's functions. For each function, the table has links to its Swift symbols in DocC's syntax.

A symbol is listed with a function if its documentation names the function in parentheses, for example (`uv_tcp_bind`).

usage: libuv_table.py DIRECTORY-OF-SYMBOL-GRAPHS
"""

import json
import pathlib
import re
import sys
from collections import Counter

NAMED = re.compile(r"\((`[^()]*?)\)")
# Types of libuv whose names do not end in `_t`. They are not functions.
ENUMERATIONS = {"uv_handle_type", "uv_poll_event", "uv_run_mode", "uv_udp_flags"}
FUNCTION = re.compile(r"`(uv_[a-z0-9_]+)`")

symbols = [symbol for file in sorted(pathlib.Path(sys.argv[1]).glob("*.symbols.json"))
           for symbol in json.loads(file.read_text())["symbols"]]
uses_of_path = Counter(tuple(symbol["pathComponents"]) for symbol in symbols)


def name(symbol):
    """Returns a link to the symbol, or its plain name if overloads have the same path."""
    path = symbol["pathComponents"]
    return f"``{'/'.join(path)}``" if uses_of_path[tuple(path)] == 1 else f"`{'.'.join(path)}`"


names = {}
for symbol in symbols:
    text = " ".join(line["text"] for line in symbol.get("docComment", {}).get("lines", []))
    for group in NAMED.findall(text):
        for function in FUNCTION.findall(group):
            if not function.endswith("_t") and function not in ENUMERATIONS:
                names.setdefault(function, set()).add(name(symbol))

print("| libuv | here |\n|---|---|")
for function in sorted(names):
    print(f"| `{function}` | {', '.join(sorted(names[function]))} |")
