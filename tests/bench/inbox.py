"""The mailbox: messages a second from a real Dovecot onto the history, beside what mbsync needs to copy them to tmpfs, in one run; how
soon an answer is on the history; and memory.

mbsync copies the whole mailbox; nurtured reads it as a first run with read_back does: connect, sign in, fetch, understand, match, commit.
Both speak without TLS on loopback, and each has met the mailbox once before it is measured, so that Dovecot's index is there for both.
"""
import contextlib
import imaplib
import os
import random
import shutil
import smtplib
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time

from world import Folder, free_port, mail_user, stop_process, wait_for
from world.authority import Authority
from world.dovecot import PASSWORD, Dovecot

MESSAGES = int(os.environ.get("BENCH_MAILS", "50000"))
PEOPLE, ROUNDS, IDLE_BOXES, ANSWERS, LARGE_MB = 500, 3, 10, 100, 50
TMPFS = "/dev/shm"
# nurtured may take so many times mbsync's time where everybody is known, and where nine of ten are not
KNOWN_TIMES, STRANGERS_TIMES, LATENCY_MS, DAEMON_MIB, WATCHER_MIB = 1.5, 1.0, 300, 64, 96

CONFIG = """
store     = {{ url = "sqlite://{store}"; }};
templates = "{templates}";
organisation = {{ name = "Berg & Sons"; postal_address = "Storgata 1, 0155 Oslo, Norway"; domains = [ "example.com" ]; }};
sending = {{ time_zone = "Europe/Oslo"; }};
accounts = ( {accounts} );
rules = ();
"""
ACCOUNT = ('{{ name = "{name}"; from = "{user}"; smtp = {{ url = "smtp://127.0.0.1:{smtp}"; tls = "none"; }}; imap = {{ url = '
           '"imap://127.0.0.1:{imap}"; tls = "none"; user = "{user}"; password = "{password}"; read_back = "30 days"; }}; }}')
MBSYNC = """
IMAPAccount a
Host 127.0.0.1
Port {port}
User {user}
Pass {password}
SSLType None

IMAPStore far
Account a

MaildirStore near
Path {path}/
Inbox {path}/INBOX

Channel c
Far :far:
Near :near:
Patterns INBOX
Create Near
Sync Pull
SyncState *
"""
WORDS = "the offer that we spoke of looks good and my colleagues would like to see how it works before the end of the month".split()


def person(number):
    return f"p{number}@kunde{number % 50}.example"


def letter(number, sender, size=4000):
    """A message as a person writes it, of about so many octets."""
    rng = random.Random(number)
    lines = []
    while sum(map(len, lines)) < size - 1200:
        lines.append(" ".join(rng.choices(WORDS, k=12)) + "\r\n")
    received = "".join(f"Received: from mx{i}.example ([192.0.2.{i}]) by mx{i + 1}.example with ESMTPS id {number:08x}{i};\r\n"
                       f"\tTue, 24 Nov 2026 08:0{i}:00 +0000\r\n" for i in range(4))
    return (f"Return-Path: <{sender}>\r\n{received}From: Person {number} <{sender}>\r\nTo: Anna Berg <anna@example.com>\r\n"
            f"Subject: Re: the offer, part {number}\r\nMessage-ID: <{number}.{rng.getrandbits(64):x}@kunde.example>\r\n"
            f"Date: Tue, 24 Nov 2026 08:15:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"Content-Transfer-Encoding: 8bit\r\nUser-Agent: Mail/1.0\r\n\r\n" + "".join(lines)).encode()


class Boxes:
    """A Dovecot, and nurtured with its store on disk."""

    def __init__(self, folder, programs):
        self.folder, self.programs, self.daemon = folder, programs, None
        self.home = Folder("nurture-mailbox-")
        certificate, key = Authority(self.home.path).issue("server")
        self.dovecot = Dovecot(self.home, certificate, key).start()

    def close(self):
        self.stop()
        self.dovecot.stop()
        self.home.close()

    def fill(self, user, messages):
        """Puts the messages into the mailbox's Maildir, as Dovecot would."""
        top = os.path.join(self.home / "homes", user, "Maildir")
        owner = mail_user()
        for name in ("", "new", "cur", "tmp"):
            os.makedirs(os.path.join(top, name), exist_ok=True)
        for number, message in enumerate(messages):
            with open(os.path.join(top, "new", f"{1764000000 + number}.M1P1.bench"), "wb") as file:
                file.write(message)
        for path, _, files in os.walk(os.path.dirname(top)):
            for name in [".", *files]:
                os.chown(os.path.join(path, name), owner.pw_uid, owner.pw_gid)
        self.meet(user, len(messages))

    def meet(self, user, count):
        connection = self.dovecot.login(user)
        assert int(connection.select()[1][0]) == count
        connection.uid("FETCH", "1:*", "(UID RFC822.SIZE INTERNALDATE)")
        connection.logout()

    def mbsync(self, user, count):
        """Seconds to copy the mailbox to tmpfs."""
        target = tempfile.mkdtemp(prefix="nurture-bench-", dir=TMPFS)
        try:
            config = os.path.join(target, "mbsyncrc")
            with open(config, "w", encoding="utf-8") as file:
                file.write(MBSYNC.format(port=self.dovecot.imap, user=user, password=PASSWORD, path=target))
            began = time.monotonic()
            subprocess.run(["mbsync", "-q", "-c", config, "c"], check=True)
            took = time.monotonic() - began
            found = sum(len(os.listdir(os.path.join(target, "INBOX", part))) for part in ("new", "cur"))
            assert found == count, f"mbsync copied {found} of {count}"
            return took
        finally:
            shutil.rmtree(target)

    def configure(self, users):
        """A new store with the people."""
        self.store, self.config, table = self.folder / "mailbox.db", self.folder / "mailbox.conf", self.folder / "people.csv"
        for end in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.store + end)
        smtp = free_port()
        accounts = ", ".join(ACCOUNT.format(name=user.split("@")[0], user=user, smtp=smtp, imap=self.dovecot.imap, password=PASSWORD)
                             for user in users)
        top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        self.folder.write("mailbox.conf", CONFIG.format(store=self.store, templates=os.path.join(top, "templates"), accounts=accounts),
                          mode=0o600)
        with open(table, "w", encoding="utf-8") as file:
            file.write("email,first_name\n" + "".join(f"{person(number)},P{number}\n" for number in range(PEOPLE)))
        subprocess.run([os.path.join(self.programs, "nurture"), "-c", self.config, "import", table], check=True, stdout=subprocess.DEVNULL)

    def start(self):
        log = open(self.folder / "mailbox.log", "ab")
        with log:
            self.daemon = subprocess.Popen([os.path.join(self.programs, "nurtured"), "-c", self.config], stdin=subprocess.DEVNULL,
                                           stdout=log, stderr=log)

    def stop(self):
        if self.daemon:
            stop_process(self.daemon, 30)
            self.daemon = None

    def ask(self, sql):
        connection = sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)
        try:
            return connection.execute(sql).fetchone()[0]
        finally:
            connection.close()

    def replies(self):
        assert self.daemon.poll() is None, f"nurtured ended with status {self.daemon.returncode}"
        return self.ask("SELECT count(*) FROM interaction WHERE kind = 'reply'")

    def read(self, user, count, expected):
        """Seconds until all is on the history and the cursor stands at the mailbox's end."""
        self.configure([user])
        began = time.monotonic()
        self.start()
        wait_for(lambda: self.ask(f"SELECT count(*) FROM mailbox_cursor WHERE folder = 'INBOX' AND last_uid >= {count}"), 900,
                 lambda: f"{self.replies()} of {expected}", every=0.01)
        took = time.monotonic() - began
        assert self.replies() == expected, f"{self.replies()} filed, not {expected}"
        return took

    def watcher(self):
        children = f"/proc/{self.daemon.pid}/task/{self.daemon.pid}/children"
        with open(children, encoding="ascii") as file:
            return int(file.read().split()[0])


def high_water(pid):
    """MiB that the process had at most."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1024


def measure_reading(table, boxes, what, user, senders, expected, times):
    """senders: of the messages, in their order."""
    boxes.fill(user, [letter(number, sender) for number, sender in enumerate(senders)])
    copied, filed = [], []
    for _ in range(ROUNDS):
        copied.append(boxes.mbsync(user, len(senders)))
        filed.append(boxes.read(user, len(senders), expected))
        daemon, watcher = high_water(boxes.daemon.pid), high_water(boxes.watcher())
        boxes.stop()
    ours, theirs = sorted(filed)[ROUNDS // 2], sorted(copied)[ROUNDS // 2]
    table.note(f"{len(senders):,} messages of 4 kB, {what}: mbsync", f"{theirs:.2f} s", f"{len(senders) / theirs:,.0f} messages/s")
    table.note("  nurtured, understood and durably filed", f"{ours:.2f} s", f"{len(senders) / ours:,.0f} messages/s")
    table.most("  the second by the first", times, ours / theirs, "times")
    table.most("  the daemon's memory, at most (VmHWM)", DAEMON_MIB, daemon, "MiB")
    table.most("  the watcher's (VmHWM)", WATCHER_MIB, watcher, "MiB")


def large_message():
    head = (f"From: <{person(1)}>\r\nTo: <anna@example.com>\r\nSubject: the film\r\nMessage-ID: <large@kunde.example>\r\nMIME-Version: 1.0\r\n"
            "Date: Tue, 24 Nov 2026 08:15:00 +0000\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n"
            "Here is the film.\r\n--b\r\nContent-Type: video/mp4; name=film.mp4\r\nContent-Transfer-Encoding: base64\r\n"
            "Content-Disposition: attachment; filename=film.mp4\r\n\r\n").encode()
    line = b"QUJD" * 19 + b"\r\n"
    return head + line * (LARGE_MB * 1024 * 1024 // len(line)) + b"--b--\r\n"


def measure_large(table, boxes):
    user = "large@example.com"
    boxes.fill(user, [letter(1, person(2)), large_message(), letter(2, person(2))])
    boxes.read(user, 3, 3)
    table.most(f"one message of {LARGE_MB} MB: the daemon's memory (VmHWM)", DAEMON_MIB, high_water(boxes.daemon.pid), "MiB")
    table.most("  the watcher's (VmHWM)", WATCHER_MIB, high_water(boxes.watcher()), "MiB")
    boxes.stop()


class Listener:
    """Waits in IDLE like any mail program, and notes when Dovecot tells of a message."""

    def __init__(self, boxes, user):
        self.connection = imaplib.IMAP4("127.0.0.1", boxes.dovecot.imap)
        self.connection.login(user, PASSWORD)
        self.connection.select(readonly=True)
        self.connection.send(b"i IDLE\r\n")
        self.connection.readline()
        self.told, self.heard_at = threading.Event(), 0.0
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        with contextlib.suppress(OSError, ValueError):
            while True:
                line = self.connection.readline()
                if not line:
                    return
                if b"EXISTS" in line:
                    self.heard_at = time.monotonic()
                    self.told.set()

    def close(self):
        self.connection.sock.shutdown(socket.SHUT_RDWR)  # the thread reads, and holds the file until it has ended
        self.thread.join()
        self.connection.shutdown()


def measure_latency(table, boxes):
    users = [f"idle{number}@example.com" for number in range(IDLE_BOXES)]
    for user in users:
        boxes.fill(user, [letter(0, "nobody@stranger.example")])
    boxes.configure(users)
    boxes.start()
    listeners = [Listener(boxes, user) for user in users]
    whole, server, ours = [], [], []
    connection = sqlite3.connect(f"file:{boxes.store}?mode=ro", uri=True)
    try:
        wait_for(lambda: boxes.ask("SELECT count(*) FROM mailbox_cursor WHERE folder = 'INBOX'") == IDLE_BOXES, 60, "all are watched")
        time.sleep(2)  # until every watcher waits in IDLE
        with smtplib.LMTP("127.0.0.1", boxes.dovecot.lmtp) as lmtp:
            for number in range(ANSWERS):
                listener = listeners[number % IDLE_BOXES]
                listener.told.clear()
                before = connection.execute("SELECT count(*) FROM interaction WHERE kind = 'reply'").fetchone()[0]
                lmtp.sendmail("p@kunde.example", [users[number % IDLE_BOXES]], letter(1000 + number, person(number)))
                began = time.monotonic()
                while connection.execute("SELECT count(*) FROM interaction WHERE kind = 'reply'").fetchone()[0] == before:
                    assert time.monotonic() - began < 30, "an answer is not filed within 30 s"
                    time.sleep(0.001)
                filed_at = time.monotonic()
                assert listener.told.wait(30), "Dovecot does not tell"
                whole.append((filed_at - began) * 1000)
                server.append((listener.heard_at - began) * 1000)
                ours.append(max(0.0, filed_at - max(listener.heard_at, began)) * 1000)
    finally:
        connection.close()
        for listener in listeners:
            listener.close()
        boxes.stop()
    place = int(ANSWERS * 0.99) - 1
    table.note(f"an answer to one of {IDLE_BOXES} idle mailboxes: from LMTP's OK to Dovecot's EXISTS", f"{sorted(server)[place]:.0f} ms",
               f"99th percentile; median {sorted(server)[ANSWERS // 2]:.0f} ms")
    table.note("  from LMTP's OK to the history", f"{sorted(whole)[place]:.0f} ms", f"median {sorted(whole)[ANSWERS // 2]:.0f} ms")
    table.most("  of which ours, 99th percentile", LATENCY_MS, max(sorted(ours)[place], 0.01), "ms")


def measure(table, folder, programs):
    """The third table."""
    table.head("\nthe mailbox")
    boxes = Boxes(folder, programs)
    known = [person(number % PEOPLE) for number in range(MESSAGES)]
    strangers = [person(number % PEOPLE) if number % 10 == 0 else f"s{number}@elsewhere{number % 997}.example" for number in range(MESSAGES)]
    try:
        table.attempt("known people", measure_reading, table, boxes, "all known", "known@example.com", known, MESSAGES, KNOWN_TIMES)
        boxes.stop()
        table.attempt("strangers", measure_reading, table, boxes, "nine of ten strangers", "strangers@example.com", strangers,
                      len(range(0, MESSAGES, 10)), STRANGERS_TIMES)
        boxes.stop()
        table.attempt("a large message", measure_large, table, boxes)
        boxes.stop()
        table.attempt("latency", measure_latency, table, boxes)
    finally:
        boxes.close()
