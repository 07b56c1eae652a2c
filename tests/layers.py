#!/usr/bin/python3
"""Calls run one way only: every #include of daemon/ and include/ names a room that its own room may know.

Prints each include that does not, as file:line, and exits 1; the table below is docs/ARCHITECTURE.md's.
"""
import pathlib
import re
import sys

MAY = {
    "base": set(),
    "config": {"base"},
    "store": {"config", "base"},
    "mail": {"config", "base"},
    "plan": {"config", "base"},
    "smtp": {"config", "base"},
    "imap": {"config", "base"},
    "engine": {"smtp", "imap", "store", "plan", "mail", "config", "base"},
    "cli": {"engine", "store", "plan", "mail", "config", "base"},
    "": {"cli", "engine", "imap", "store", "mail", "config", "base"},  # the two programs
}
# plain value types that rooms beside mail/ may name
VALUES = {"mail/message.h"}
LIBRARIES = {  # the only room that knows this library
    "libetpan/": "imap", "curl/": "smtp", "sqlite3.h": "store", "gmime/": "mail", "libconfig.h": "config",
    "libical/": "plan", "md4c": "mail", "libxml/": "mail", "seccomp.h": "imap",
}
# curl is also the way to HTTPS
BESIDES = {("daemon/engine/http.c", "curl/")}
INCLUDE = re.compile(r'\s*#\s*include\s*(["<])([^">]+)[">]')


def room_of(path, top):
    parts = path.relative_to(top).parts
    return parts[1] if len(parts) > 2 else ""


def faults(top):
    for path in sorted([*top.glob("daemon/**/*.[ch]"), *top.glob("include/**/*.h")]):
        room = room_of(path, top)
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            quote, name = match.groups()
            where = f"{path.relative_to(top)}:{number}"
            if quote == '"' and "/" in name:
                other = name.split("/")[0]
                if other not in MAY:
                    yield f"{where}: {name} is in no known room"
                elif other != room and other not in MAY[room] and not (name in VALUES and room in {"smtp", "imap", "store"}):
                    yield f"{where}: {room or 'a program'} may not know {other}/"
            elif quote == "<":
                for prefix, owner in LIBRARIES.items():
                    if (str(path.relative_to(top)), prefix) in BESIDES:
                        continue
                    if name.startswith(prefix) and room != owner and not (room == "" and prefix in ("gmime/", "curl/")):
                        yield f"{where}: only {owner}/ may know <{name}>"


def main():
    top = pathlib.Path(__file__).resolve().parent.parent
    found = list(faults(top))
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
