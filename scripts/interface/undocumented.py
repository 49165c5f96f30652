"""Prints each public declaration without a documentation comment, with its place, and fails where there is one.

usage: undocumented.py DIRECTORY-OF-SYMBOL-GRAPHS...
"""

import json
import pathlib
import sys


def is_documented(symbol):
    return any(line["text"].strip() for line in symbol.get("docComment", {}).get("lines", []))


def place(symbol):
    location = symbol.get("location")
    return f"{location['uri'].removeprefix('file://')}:{location['position']['line'] + 1}" if location else "?"


files = [file for directory in sys.argv[1:] for file in pathlib.Path(directory).glob("*.symbols.json")]
symbols = [symbol for file in files for symbol in json.loads(file.read_text())["symbols"]]
undocumented = [symbol for symbol in symbols if not is_documented(symbol)]
for symbol in undocumented:
    print(f"{place(symbol)}: {'.'.join(symbol['pathComponents'])} is not documented")
print(f"{len(symbols)} public symbols, {len(undocumented)} undocumented")
sys.exit(1 if undocumented or not symbols else 0)
