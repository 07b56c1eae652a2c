"""An IMAP server that misbehaves as no real one does on demand. Prints its port; the mode is the first argument.

  permanentflags brackets literal-eof  answers that crash or hang libetpan's parser
  drip flood hugeliteral               a byte a second, endless untagged lines, a literal announced at 4 GB
  silent                               accepts and says nothing
  drop                                 closes in the middle of a message
Every command that it is given is printed, with the words behind LOGIN left out.
"""
import socket
import sys
import threading
import time

MODE = sys.argv[1]
MESSAGE = b"From: a@b.example\r\nSubject: x\r\nMessage-ID: <1@b.example>\r\n\r\n" + b"hello\r\n" * 50


def flood(stream, line):
    while True:
        stream.write(line * 100)
        stream.flush()


def on_select(stream):
    if MODE == "permanentflags":
        stream.write(b"* OK [PERMANENTFLAGS (\\)] x\r\n")
    elif MODE == "flood":
        flood(stream, b"* 1 EXISTS\r\n")
    stream.write(b"* 1 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 1] x\r\n* OK [UIDNEXT 2] x\r\n")


def on_fetch(stream, line):
    if MODE == "brackets":
        stream.write(b"* 1 FETCH (UID 1 BODYSTRUCTURE " + b"(" * 30000 + b"\r\n")
    elif MODE == "hugeliteral":
        stream.write(b"* 1 FETCH (UID 1 BODY[] {4294967295}\r\n")
        flood(stream, b"x" * 100)
    elif MODE in ("literal-eof", "drop") and b"BODY" in line.upper():
        stream.write(b"* 1 FETCH (UID 1 BODY[] {5000}\r\nFrom: a@b.example\r\n")
        stream.flush()
        raise ConnectionError
    elif b"RFC822.SIZE" in line.upper() and b"BODY" not in line.upper():
        stream.write(b"* 1 FETCH (UID 1 RFC822.SIZE %d INTERNALDATE \"24-Nov-2026 09:00:00 +0000\")\r\n" % len(MESSAGE))
    else:
        stream.write(b"* 1 FETCH (UID 1 RFC822.SIZE %d INTERNALDATE \"24-Nov-2026 09:00:00 +0000\" BODY[] {%d}\r\n" % (len(MESSAGE), len(MESSAGE)) + MESSAGE + b")\r\n")


def serve(connection):
    with connection, connection.makefile("rwb") as stream:
        if MODE == "silent":
            time.sleep(3600)
        if MODE == "drip":
            for byte in b"* OK " + b"x" * 100000:
                stream.write(bytes([byte]))
                stream.flush()
                time.sleep(1)
        stream.write(b"* OK [CAPABILITY IMAP4rev1 IDLE] ready\r\n")
        stream.flush()
        for line in stream:
            tag, _, rest = line.strip().partition(b" ")
            print(rest[:40].decode("ascii", "replace") if not rest.upper().startswith(b"LOGIN") else "LOGIN", flush=True)
            command = rest.upper().split(b" ")[0]
            if command == b"CAPABILITY":
                stream.write(b"* CAPABILITY IMAP4rev1 IDLE\r\n")
            elif command in (b"SELECT", b"EXAMINE"):
                on_select(stream)
            elif command == b"UID" and b"SEARCH" in rest.upper():
                stream.write(b"* SEARCH 1\r\n")
            elif command == b"UID":
                on_fetch(stream, rest)
            elif command == b"IDLE":
                stream.write(b"+ idling\r\n")
                stream.flush()
                continue
            elif command == b"LOGOUT":
                stream.write(b"* BYE\r\n")
            stream.write((tag if tag.upper() != b"DONE" else b"x") + b" OK done\r\n")
            stream.flush()


def safely(connection):
    try:
        serve(connection)
    except (OSError, ConnectionError, ValueError):
        pass


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=safely, args=[listener.accept()[0]], daemon=True).start()
