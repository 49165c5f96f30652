"""Prints filters for `swift test`. Each filter selects those suites of a test target that use more than one thread.

A suite is selected if it starts a thread or a task, or submits work to libuv's thread pool. It is also selected if it
uses a declaration of its target that does one of these things. The script needs no list of names, so it also selects
new suites.
"""

import itertools
import pathlib
import re

starts_threads = re.compile(r"\b(PosixThread|ThreadGroup)\b(?!\.)|pthread_create|TaskGroup|\bTask(\.detached)?[({ ]"
                            r"|executorPreference|AdminServer\(|\bloop\.(work|resolve|resolveName|random)\(")
declaration = re.compile(r"^(?:@\w+(?:\(.*?\))? |@Suite\(.*\) |final |private |public |nonisolated\(nonsending\) )*"
                         r"(struct|class|enum|actor|extension|func) (\w+)", re.MULTILINE)


def declarations(target):
    """Yields the top-level declarations of the target's files as (kind, name, text)."""
    for file in sorted(target.glob("*.swift")):
        text = file.read_text()
        starts = list(declaration.finditer(text))
        for start, after in itertools.zip_longest(starts, starts[1:]):
            yield start[1], start[2], text[start.start():after and after.start()]


for target in sorted(pathlib.Path("Tests").glob("*/*Tests")):
    all_declarations = list(declarations(target))
    suites = {name for kind, name, text in all_declarations if "@Test" in text}
    used, threaded = starts_threads, set()
    while (found := {name for kind, name, text in all_declarations if used.search(text)}) != threaded:
        threaded = found
        helpers = [name for kind, name, text in all_declarations
                   if name in threaded - suites and kind != "extension"]
        used = re.compile("|".join([starts_threads.pattern, *(rf"\b{name}\b" for name in helpers)]))
    if threaded & suites:
        print(rf"^{target.name}\.({'|'.join(sorted(threaded & suites))})/")
