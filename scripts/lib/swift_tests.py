"""Finds the suites and tests in Swift files, with their documentation comments."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COMMENT = r"(?:^[ \t]*///.*\n)"
# Matches a suite or a test together with its comment, and also the comment of any other declaration.
ITEM = re.compile(
    rf"(?P<comment>{COMMENT}*)(?:"
    r"^(?:@Suite\S*(?: [^{]*?)?\s+|final |private )*(?:struct|class|extension) (?P<suite>\w+)"
    rf"|(?P<indent>[ \t]*)(?:@MainActor )?@Test\b(?:.|\n)*?\bfunc (?P<test>\w+))|(?P<other>{COMMENT}+)", re.MULTILINE)


def test_files():
    """Returns all Swift files with tests, in the order of their names."""
    return sorted((ROOT / "Tests").rglob("*.swift"))


def items(text):
    """Yields each match of ITEM in a Swift file, with the name of the test as Suite.test, or None for another item."""
    suite = ""
    for item in ITEM.finditer(text):
        suite = item["suite"] or suite
        yield item, item["test"] and f"{suite}.{item['test']}"
