"""Prints the problems in the documentation of public declarations, with their locations. Fails if there are any.

Each declaration needs a documentation comment. If the declaration can throw an error, the comment must say which errors
it throws. If the comment explains one parameter, it must explain all parameters, except those in EVIDENT.

usage: undocumented.py DIRECTORY-OF-SYMBOL-GRAPHS...
"""

import json
import pathlib
import re
import sys

# Parameters that mean the same everywhere: a handle's loop, and the source location at which a handle is created.
EVIDENT = {"loop", "file", "line"}
EXPLAINED = re.compile(r"^\s*(?:- Parameter|  -) (\w+):", re.MULTILINE)


def documentation(symbol):
    return "\n".join(line["text"] for line in symbol.get("docComment", {}).get("lines", []))


def place(symbol):
    location = symbol.get("location")
    return f"{location['uri'].removeprefix('file://')}:{location['position']['line'] + 1}" if location else "?"


def missing(symbol):
    """Yields the problems in the documentation of a declaration."""
    text = documentation(symbol)
    if not text.strip():
        yield "is not documented"
    declaration = "".join(part["spelling"] for part in symbol["declarationFragments"])
    if re.search(r"\bthrows(?!\(Failure\))", declaration) and "- Throws:" not in text:
        yield "does not say which errors it throws"
    explained = set(EXPLAINED.findall(text))
    # If a parameter has no internal name, its label is its name.
    parameters = {
        each.get("internalName", each["name"]) for each in symbol.get("functionSignature", {}).get("parameters", [])}
    if explained & parameters:
        yield from (f"does not explain '{name}'" for name in sorted(parameters - explained - EVIDENT))
    if parameters:
        yield from (f"explains '{name}', which is not a parameter" for name in sorted(explained - parameters))


symbols = [symbol for directory in sys.argv[1:] for file in pathlib.Path(directory).glob("*.symbols.json")
           for symbol in json.loads(file.read_text())["symbols"]]
lacks = [
    f"{place(symbol)}: {'.'.join(symbol['pathComponents'])} {lack}" for symbol in symbols for lack in missing(symbol)]
print("\n".join(lacks + [f"{len(symbols)} public symbols, {len(lacks)} documentation problems"]))
sys.exit(1 if lacks or not symbols else 0)
