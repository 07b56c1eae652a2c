"""An IMAP server that does on demand what no real one does. Its argument is the name of a class below. Prints its port;
answers "seen" with the verbs of the commands that it was given, anything else with the number of connections that gave any.
"""
import base64
import re
import socket
import sys
import threading
import time

LETTER = b"From: Kari <kari@kunde.example>\r\nSubject: s%d\r\nMessage-ID: <m%d@kunde.example>\r\n\r\nSvar %d\r\n"
DATE = b'INTERNALDATE "24-Nov-2026 09:00:00 +0000"'
seen, heard = [], []


class Gone(Exception):
    """The server hangs up."""


class Server:
    """An honest server of the mailbox with UIDs 1 … count; a mode overrides the answers that it wants to be different."""
    capabilities = b"IMAP4rev1 IDLE AUTH=PLAIN SASL-IR"
    uidvalidity, count, greeting = 7, 1, b"* OK ready\r\n"

    def __init__(self, stream):
        self.stream, self.idle_tag = stream, None

    def put(self, *pieces):
        self.stream.write(b"".join(pieces))
        self.stream.flush()

    def body(self, uid):
        return LETTER % (uid, uid, uid)

    def run(self):
        self.put(self.greeting)
        for number, line in enumerate(self.stream):
            if number == 0:
                heard.append(1)
            line = line.strip()
            if line.upper() == b"DONE":
                seen.append("DONE")
                self.done()
                continue
            tag, _, rest = line.partition(b" ")
            verb = rest.upper().replace(b"UID ", b"UID-").split(b" ")[0].decode()
            seen.append(verb)
            getattr(self, "do_" + verb.lower().replace("-", "_"), self.do_other)(tag, rest)

    def ok(self, tag):
        self.put(tag, b" OK done\r\n")

    def do_other(self, tag, _):
        self.put(tag, b" BAD unknown\r\n")

    def do_capability(self, tag, _):
        self.put(b"* CAPABILITY ", self.capabilities, b"\r\n")
        self.ok(tag)

    def do_authenticate(self, tag, _):
        self.ok(tag)

    do_login = do_authenticate

    def do_examine(self, tag, _):
        self.put(b"* FLAGS (\\Seen)\r\n* %d EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY %d] x\r\n* OK [UIDNEXT %d] x\r\n" %
                 (self.count, self.uidvalidity, self.count + 1), tag, b" OK [READ-ONLY] done\r\n")

    def wanted(self, rest):
        """UIDs of the first sequence set in the command."""
        uids = set()
        for part in re.search(rb"[0-9][0-9:,*]*", rest.partition(b" ")[2]).group().split(b","):
            first, _, last = part.partition(b":")
            last = self.count if last == b"*" or first == b"*" else int(last or first)
            first = self.count if first == b"*" else int(first)
            uids |= set(range(min(first, last), max(first, last) + 1))
        return sorted(uid for uid in uids if 1 <= uid <= self.count)

    def do_uid_search(self, tag, rest):
        uids = range(1, self.count + 1) if b"SINCE" in rest.upper() else self.wanted(rest)
        self.put(b"* SEARCH", *(b" %d" % uid for uid in uids), b"\r\n")
        self.ok(tag)

    def do_uid_fetch(self, tag, rest):
        if b"BODY" in rest.upper():
            self.fetch_bodies(tag, self.wanted(rest))
        else:
            self.fetch_items(tag, self.wanted(rest))

    def fetch_items(self, tag, uids):
        for uid in uids:
            self.put(b"* %d FETCH (UID %d RFC822.SIZE %d %s)\r\n" % (uid, uid, len(self.body(uid)), DATE))
        self.ok(tag)

    def fetch_bodies(self, tag, uids):
        for uid in uids:
            self.put(b"* %d FETCH (UID %d BODY[]<0> {%d}\r\n" % (uid, uid, len(self.body(uid))), self.body(uid), b")\r\n")
        self.ok(tag)

    def do_idle(self, tag, _):
        self.idle_tag = tag
        self.put(b"+ idling\r\n")

    def done(self):
        self.ok(self.idle_tag)


# ---- what crashes, hangs or fills libetpan ----

class PermanentFlags(Server):
    def do_examine(self, tag, rest):
        self.put(b"* OK [PERMANENTFLAGS (\\)] x\r\n")
        super().do_examine(tag, rest)


class Brackets(Server):
    def fetch_bodies(self, tag, uids):
        self.put(b"* 1 FETCH (UID 1 BODYSTRUCTURE ", b"(" * 30000, b"\r\n")
        self.ok(tag)


class LiteralEof(Server):
    def fetch_bodies(self, tag, uids):
        self.put(b"* 1 FETCH (UID 1 BODY[]<0> {5000}\r\nFrom: ")
        raise Gone


class HugeLiteral(Server):
    def fetch_bodies(self, tag, uids):
        self.put(b"* 1 FETCH (UID 1 BODY[]<0> {4294967295}\r\n")
        while True:
            self.put(b"x" * 65536)


class WrappedLiteral(Server):
    def fetch_bodies(self, tag, uids):
        self.put(b"* 1 FETCH (UID 1 BODY[]<0> {18446744073709551615}\r\nx)\r\n")
        raise Gone


class EndlessLine(Server):
    def do_examine(self, tag, rest):
        self.put(b"* OK [")
        while True:
            self.put(b"A" * 65536)


class EndlessLines(Server):
    def do_capability(self, tag, rest):
        while True:
            self.put(b"* 5 EXISTS\r\n" * 1000)


class EndlessSignIn(Server):
    def do_authenticate(self, tag, rest):
        while True:
            self.put(b"* OK not yet\r\n" * 1000)


class EndlessGreeting(Server):
    @property
    def greeting(self):
        while True:
            self.put(b"A" * 65536)


class EndlessIdle(Server):
    count = 0

    def do_idle(self, tag, rest):
        super().do_idle(tag, rest)
        self.put(b"* ", b"5" * 20000, b" EXISTS\r\n")


class TooManyUids(Server):
    def do_uid_search(self, tag, rest):
        while True:
            self.put(b"* SEARCH", b" 1" * 20000, b"\r\n")


# ---- what is out of order ----

class Goodbye(Server):
    greeting = b"* BYE too many connections, come back later\r\n"


class Garbage(Server):
    greeting = b"HTTP/1.1 400 Bad Request\r\n"


class NulBytes(Server):
    def do_authenticate(self, tag, rest):
        self.put(b"* OK a\0b\r\n")
        self.ok(tag)


class OutOfStep(Server):
    def do_authenticate(self, tag, rest):
        self.put(b"N999 OK done\r\n")


class Control(Server):
    def do_authenticate(self, tag, rest):
        self.put(tag, b" NO \x1b[31mred\x07 \xe2\x80\xaeevil\xff event=forged\r\n")


class PreAuth(Server):
    greeting = b"* PREAUTH welcome\r\n"


class NoSignIn(Server):
    capabilities = b"IMAP4rev1 LOGINDISABLED AUTH=XOAUTH2"


class Echoes(Server):
    def do_authenticate(self, tag, rest):
        self.put(tag, b" NO I do not know ", rest, b"\r\n")


class EchoesGoodbye(Server):
    def do_authenticate(self, tag, rest):
        self.put(b"* BYE I do not know ", rest, b"\r\n")


class EchoesLines(Server):
    def do_authenticate(self, tag, rest):
        self.put(tag, b" ", rest, b"\r\n")


class EchoesDecoded(Server):
    def do_authenticate(self, tag, rest):
        self.put(b"* BYE ", base64.b64decode(rest.split()[-1]).replace(b"\0", b" "), b"\r\n")


class EchoesTurns(Server):
    """AUTHENTICATE LOGIN, which asks for user and password in turn; the password comes back as it came."""
    capabilities = b"IMAP4rev1 AUTH=LOGIN"

    def do_authenticate(self, tag, rest):
        self.put(b"+ VXNlcm5hbWU6\r\n")
        self.stream.readline()
        self.put(b"+ UGFzc3dvcmQ6\r\n")
        self.put(tag, b" NO wrong: ", self.stream.readline().strip(), b"\r\n")


class NoUidValidity(Server):
    def do_examine(self, tag, rest):
        self.put(b"* 1 EXISTS\r\n")
        self.ok(tag)


class Refuses(Server):
    """FETCH is refused with NO after some items; asked again by itself the message comes."""
    count = 3

    def fetch_bodies(self, tag, uids):
        if len(uids) > 1:
            self.put(b"* 1 FETCH (UID 1 BODY[]<0> {%d}\r\n" % len(self.body(1)), self.body(1), b")\r\n",
                     tag, b" NO [SERVERBUG] sorry\r\n")
        else:
            super().fetch_bodies(tag, uids)


class Withholds(Server):
    """The second of three is listed and never given."""
    count = 3

    def fetch_bodies(self, tag, uids):
        super().fetch_bodies(tag, [uid for uid in uids if uid != 2])


class Vanishes(Server):
    """The second of three is gone by the time that it is asked for."""
    count = 3
    gone = False

    def wanted(self, rest):
        return [uid for uid in super().wanted(rest) if uid != 2 or not self.gone]

    def fetch_bodies(self, tag, uids):
        Vanishes.gone = True
        super().fetch_bodies(tag, [uid for uid in uids if uid != 2])


class Others(Server):
    """Messages that nobody asked for, one twice, flags in between, bodies of nothing, all in disorder."""
    count = 3

    def fetch_bodies(self, tag, uids):
        self.put(b"* 9 FETCH (FLAGS (\\Seen))\r\n* 8 FETCH (UID 99 BODY[]<0> {5}\r\nhello)\r\n")
        for uid in reversed(uids):
            self.put(b"* %d FETCH (BODY[]<0> {%d}\r\n" % (uid, len(self.body(uid))), self.body(uid), b" UID %d)\r\n" % uid)
            self.put(b"* %d FETCH (UID %d BODY[]<0> NIL)\r\n" % (uid, uid))
            self.put(b"* %d FETCH (UID %d BODY[]<0> {5}\r\nagain)\r\n" % (uid, uid))
        self.ok(tag)


class LiesAboutSize(Server):
    def fetch_items(self, tag, uids):
        for uid in uids:
            self.put(b"* %d FETCH (UID %d RFC822.SIZE 10 %s)\r\n" % (uid, uid, DATE))
        self.ok(tag)

    def body(self, uid):
        return super().body(uid) + b"x" * 30 * 1024 * 1024


class StrangeDates(Server):
    def fetch_items(self, tag, uids):
        self.put(b'* 1 FETCH (UID 1 RFC822.SIZE 10 INTERNALDATE "99-Feb-9999 99:99:99 +9999")\r\n')
        self.ok(tag)


# ---- IDLE ----

class Arrives(Server):
    """A message comes during IDLE; how the server says so is the subclass's."""
    count = 0

    def do_idle(self, tag, rest):
        self.idle_tag = tag
        if Arrives.count == 0:
            Arrives.count = 1
            self.tell()
        else:
            self.put(b"+ idling\r\n")


class OneSegment(Arrives):
    def tell(self):
        self.put(b"+ idling\r\n* 1 EXISTS\r\n")


class BeforePlus(Arrives):
    def tell(self):
        self.put(b"* 1 EXISTS\r\n+ idling\r\n")


class WithDone(Arrives):
    """Told with the answer to DONE only; something else ended the IDLE."""
    def tell(self):
        self.put(b"+ idling\r\n* 3 EXPUNGE\r\n")

    def done(self):
        self.put(b"* 1 EXISTS\r\n")
        super().done()


class ByteByByte(Arrives):
    def tell(self):
        for byte in b"+ idling\r\n* OK Still here\r\n* 1 EXISTS\r\n":
            self.put(bytes([byte]))
            time.sleep(0.02)


class EndsIdle(Arrives):
    """Ends the IDLE by itself."""
    def tell(self):
        self.put(b"+ idling\r\n", self.idle_tag, b" OK enough\r\n")


class IdleRefused(Arrives):
    def tell(self):
        self.put(self.idle_tag, b" NO not now\r\n")


class WithSearch(Server):
    """A message comes while the last look is answered: told with that answer, and never again."""
    count = 0
    told = False

    def do_examine(self, tag, rest):
        self.put(b"* 0 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n")
        self.ok(tag)

    def do_uid_search(self, tag, rest):
        self.put(b"* SEARCH", *(b" %d" % uid for uid in self.wanted(rest)), b"\r\n")
        if not WithSearch.told and seen.count("IDLE") >= 1:
            WithSearch.told, WithSearch.count = True, 1
            self.put(b"* 1 EXISTS\r\n")
        self.ok(tag)

    def do_idle(self, tag, rest):
        super().do_idle(tag, rest)
        if not WithSearch.told:
            self.put(b"* 0 EXPUNGE\r\n")


class StartTls(Server):
    capabilities = b"IMAP4rev1 STARTTLS AUTH=PLAIN"


class StartTlsInjects(StartTls):
    def do_starttls(self, tag, _):
        self.put(tag, b" OK go\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n")
        time.sleep(5)


class StartTlsRefused(StartTls):
    def do_starttls(self, tag, _):
        self.put(tag, b" NO not today\r\n")


class StartTlsMissing(Server):
    pass


class StartTlsPreAuth(StartTls):
    greeting = b"* PREAUTH welcome\r\n"


class Trickle:
    """A byte each 50 ms, for ever."""
    def __init__(self, stream):
        self.stream = stream

    def run(self):
        while True:
            self.stream.write(b"A")
            self.stream.flush()
            time.sleep(0.05)


class Pours(Trickle):
    def run(self):
        while True:
            self.stream.write(b"A" * 65536)
            self.stream.flush()


class Closes(Trickle):
    def run(self):
        self.stream.write(b"abc")


def serve(connection, kind):
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, connection.makefile("rwb") as stream:
            kind(stream).run()
    except (Gone, OSError, ValueError):
        pass


def listen(listener, kind):
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0], kind), daemon=True).start()


def main(kinds, more=None):
    """more(line): the answer to what only the caller knows; None: not its either."""
    kind = kinds[sys.argv[1]]
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(20)
    threading.Thread(target=listen, args=(listener, kind), daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    for line in sys.stdin:
        answer = more(line.strip()) if more else None
        print("ok", answer or (" ".join(seen) if line.strip() == "seen" else len(heard)), flush=True)


if __name__ == "__main__":
    main(globals())
