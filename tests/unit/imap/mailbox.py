"""A Dovecot for the unit tests of imap/, driven line by line: prints "IMAP-PORT IMAPS-PORT CA-FILE PASSWORD", then answers.

  deliver USER FIRST COUNT OCTETS   by LMTP: messages <mFIRST@kunde.example> and on, of about that size
  append USER FOLDER NUMBER DAYS    by IMAP APPEND, received so many days ago
  big USER NUMBER MEGABYTES         one large message
  poison USER NUMBER                one with the line that ends the tests' reader
  create USER FOLDER | expunge USER FIRST COUNT | rebuild USER (a new UIDVALIDITY) | flags USER (all flags set, sorted)
  stop | start | certificate KIND (good, expired, wrong-name, self-signed, other-authority) | attempts USER (to sign in)
"""
import imaplib
import os
import shlex
import smtplib
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))

from world import Folder  # noqa: E402
from world.authority import Authority  # noqa: E402
from world.dovecot import PASSWORD, Dovecot  # noqa: E402


def letter(number, octets=0, line=""):
    head = (f"From: Kari <kari{number}@kunde.example>\r\nTo: anna@example.com\r\nSubject: s{number}\r\n"
            f"Message-ID: <m{number}@kunde.example>\r\nDate: Tue, 24 Nov 2026 09:00:00 +0000\r\n"
            f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n").encode()
    body = f"Svar {number} p\xe5 norsk\r\n{line}\r\n".encode("latin-1")
    return head + body + (b"x" * 70 + b"\r\n") * (max(0, octets - len(head) - len(body)) // 72)


class Mailbox:
    def __init__(self):
        self.folder = Folder("nurture-imap-")
        self.authority = Authority(self.folder.path)
        self.dovecot = Dovecot(self.folder, *self.authority.issue("good")).start()

    def deliver(self, user, first, count, octets):
        with smtplib.LMTP("127.0.0.1", self.dovecot.lmtp) as lmtp:
            for number in range(int(first), int(first) + int(count)):
                lmtp.sendmail("kari@kunde.example", [user], letter(number, int(octets)))

    def append(self, user, folder, number, days):
        at = imaplib.Time2Internaldate(time.time() - float(days) * 86400)
        self._in(user, lambda connection: connection.append(folder, None, at, letter(int(number))))

    def big(self, user, number, megabytes):
        self._in(user, lambda connection: connection.append("INBOX", None, None, letter(int(number), int(megabytes) << 20)))

    def poison(self, user, number):
        self._in(user, lambda connection: connection.append("INBOX", None, None, letter(int(number), 0, "END-THE-READER")))

    def create(self, user, folder):
        self._in(user, lambda connection: connection.create(folder))

    def expunge(self, user, first, count):
        def work(connection):
            connection.select("INBOX")
            connection.uid("STORE", f"{first}:{int(first) + int(count) - 1}", "+FLAGS", "\\Deleted")
            connection.expunge()
        self._in(user, work)

    def rebuild(self, user):
        home = self.folder / f"homes/{user}/Maildir"
        time.sleep(1.1)  # Dovecot's UIDVALIDITY is the second in which the index was made
        for name in os.listdir(home):
            if name.startswith("dovecot"):
                os.unlink(os.path.join(home, name))

    def flags(self, user):
        return " ".join(sorted({flag.decode() for flags, _ in self.dovecot.messages(user) for flag in flags} - {"\\Recent"}))

    def stop(self):
        self.dovecot.stop()

    def start(self):
        self.dovecot.start()

    def certificate(self, kind):
        other = Authority(self.folder / "homes", "Another authority")
        options = {"good": {}, "expired": {"expired": True}, "wrong-name": {"hosts": ("mail.elsewhere.example",)},
                   "self-signed": {"self_signed": True}, "other-authority": {}}[kind]
        self.dovecot.stop()
        (other if kind == "other-authority" else self.authority).issue("good", **options)
        if kind == "other-authority":
            for ending in (".pem", ".key"):
                os.replace(self.folder / ("homes/good" + ending), self.folder / ("good" + ending))
        self.dovecot.start()

    def attempts(self, user):
        """How often that user tried to sign in, rightly or not."""
        with open(self.folder / "dovecot.log", encoding="utf-8", errors="replace") as log:
            return str(sum(f"user=<{user}>" in line for line in log))

    def _in(self, user, work):
        connection = self.dovecot.login(user)
        try:
            work(connection)
        finally:
            connection.logout()

    def close(self):
        self.dovecot.stop()
        self.folder.close()


def main():
    box = Mailbox()
    try:
        print(box.dovecot.imap, box.dovecot.imaps, box.authority.file, PASSWORD, flush=True)
        for line in sys.stdin:
            command, *arguments = shlex.split(line)
            print("ok", getattr(box, command)(*arguments) or "", flush=True)
    finally:
        box.close()


main()
