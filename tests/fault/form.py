# SPDX-License-Identifier: MIT
"""The form that the tests of faults share: how large they are, the seed, and the table. Sizes are
variables, given as `make fault KILLS=50` or as --kills 50:

    given = form.options(__doc__, kills=1000)        -> given.kills, given.seed
    table = form.Table("peer", "kills", "mails", "found")
    table.row("records", 1000, 3120, "")             an empty last field says "nothing"
    sys.exit(table.close())                          1 where a row found something"""
import argparse
import os
import random

SEED_LIMIT = 10**6


def options(text, **sizes):
    """The sizes and the seed, from the command line, else the environment; the rest is `names`."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in {**sizes, "seed": random.randrange(SEED_LIMIT)}.items():
        kind = float if isinstance(default, float) else int
        parser.add_argument(f"--{name}", type=kind, default=kind(os.environ.get(name.upper()) or default))
    parser.add_argument("names", nargs="*", metavar="NAME", help="these alone")
    given = parser.parse_args()
    print(", ".join(f"{name} {getattr(given, name)}" for name in (*sizes, "seed")), flush=True)
    return given


class Table:
    """Prints a row as soon as it is there; the last column is what was found wrong."""

    def __init__(self, *columns, width=10):
        self.columns, self.found = columns, 0
        self.widths = [max(width, len(column) + 2) for column in columns[:-1]]
        self.line(columns)

    def line(self, fields):
        first, *others = (str(field).rjust(width) for field, width in zip(fields, self.widths))
        print(first.strip().ljust(max(self.widths[0], 12)), *others, f" {fields[-1]}", flush=True)

    def row(self, *fields):
        self.found += bool(fields[-1])
        self.line((*fields[:-1], fields[-1] or "nothing"))

    def close(self):
        """The exit code."""
        return 1 if self.found else 0
