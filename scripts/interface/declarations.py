"""Prints a module's public declarations, one per line and sorted by name. Members are indented below their type.

If an extension adds no conformance, its members are printed together with the members of the type. To a caller, it
makes no difference whether a member is declared in an extension.

usage: declarations.py MODULE FILE      FILE is the output of swift-synthesize-interface
"""

import re
import sys

KEYWORDS = "class|struct|enum|protocol|actor|extension|typealias|associatedtype|func|var|let|case"
NAME = re.compile(rf"\b(?:{KEYWORDS})\s+(\S+?)(?=[\s(:<{{,]|$)|\b(init|subscript|deinit)\b")
# Matches the text to omit: words that every line would contain, and attributes that make no difference to callers.
OMITTED = re.compile(r"\b(public|private\(set\)) |@inlinable ?")


def name(text):
    found = NAME.search(text)
    return (found[1] or found[2]) if found else text


def parse(module, lines):
    """Returns the declarations of a file as nested dictionaries: {declaration: its members}."""
    root, attributes = {}, []
    stack = [root]
    for line in (line.strip().replace(f"{module}.", "") for line in lines):
        if not line or line.startswith(("//", "import ")):
            continue
        if line == "}":
            stack.pop()
        elif line.startswith("@") and not NAME.search(line):
            attributes.append(line)
        else:
            text = OMITTED.sub("", " ".join([*attributes, line.removesuffix("{").strip()])).strip()
            attributes = []
            members = stack[-1].setdefault(text, {}) if name(text) != "deinit" else {}
            if line.endswith("{"):
                stack.append(members)
    return root


def join_extensions(root):
    """Moves the members of an extension into the extended type, unless the extension adds a conformance."""
    types = {name(text): members for text, members in root.items() if not text.startswith("extension ")}
    for text in list(root):
        added_to = re.fullmatch(r"extension (\S+)", text)
        if added_to and added_to[1] in types:
            types[added_to[1]].update(root.pop(text))


def print_sorted(declarations, depth=0):
    for text in sorted(declarations, key=lambda text: (name(text), text.startswith("extension "), text)):
        print("    " * depth + text)
        print_sorted(declarations[text], depth + 1)


with open(sys.argv[2]) as file:
    tree = parse(sys.argv[1], file)
join_extensions(tree)
print_sorted(tree)
