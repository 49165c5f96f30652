"""Prints what the documentation of public declarations lacks, with the location, and fails if anything is missing.

Each declaration needs a comment. If it can throw an error of the library, the comment says which. If the comment
explains a parameter, it explains all parameters except those that mean the same everywhere.

usage: undocumented.py DIRECTORY-OF-SYMBOL-GRAPHS...
"""

import json
import pathlib
import re
import sys

# The loop of a handle, and the source location of its creation.
EVIDENT = {"loop", "file", "line"}
EXPLAINED = re.compile(r"^\s*(?:- Parameter|  -) (\w+):", re.MULTILINE)


def documentation(symbol):
    return "\n".join(line["text"] for line in symbol.get("docComment", {}).get("lines", []))


def place(symbol):
    location = symbol.get("location")
    return f"{location['uri'].removeprefix('file://')}:{location['position']['line'] + 1}" if location else "?"


def missing(symbol):
    """What the documentation of a declaration lacks."""
    text = documentation(symbol)
    if not text.strip():
        yield "is not documented"
    declaration = "".join(part["spelling"] for part in symbol["declarationFragments"])
    if re.search(r"\bthrows(?!\(Failure\))", declaration) and "- Throws:" not in text:
        yield "does not say what it throws"
    explained = set(EXPLAINED.findall(text))
    # A parameter without its own name is called by its label.
    parameters = {
        each.get("internalName", each["name"]) for each in symbol.get("functionSignature", {}).get("parameters", [])}
    if explained & parameters:
        yield from (f"does not explain '{name}'" for name in sorted(parameters - explained - EVIDENT))
    if parameters:
        yield from (f"explains '{name}', which is no parameter" for name in sorted(explained - parameters))


symbols = [symbol for directory in sys.argv[1:] for file in pathlib.Path(directory).glob("*.symbols.json")
           for symbol in json.loads(file.read_text())["symbols"]]
lacks = [
    f"{place(symbol)}: {'.'.join(symbol['pathComponents'])} {lack}" for symbol in symbols for lack in missing(symbol)]
print("\n".join(lacks + [f"{len(symbols)} public symbols, {len(lacks)} documentation problems"]))
sys.exit(1 if lacks or not symbols else 0)
