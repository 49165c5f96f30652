"""Writes docs/faults.md."""


def document(results, models):
    return ""
