"""hostile.py's server with a folder for sent mail: what it does there is told by the class that is named. Answers "filed" with the
number of messages that lie there."""
import re

import hostile

filed = []


class Sent(hostile.Server):
    """Marks "Sent Items" in a plain LIST, as Exchange does, and takes what is appended."""
    capabilities = b"IMAP4rev1 IDLE AUTH=PLAIN SASL-IR"
    listed = b'* LIST (\\HasNoChildren) "/" INBOX\r\n* LIST (\\HasNoChildren \\Sent) "/" "Sent Items"\r\n'
    count = 0
    opened = b""

    def do_list(self, tag, rest):
        assert rest == b'LIST "" "%"', rest
        self.put(self.listed)
        self.ok(tag)

    def do_status(self, tag, rest):
        self.put(b'* STATUS "Sent Items" (UIDNEXT %d UIDVALIDITY 9)\r\n' % (len(filed) + 1))
        self.ok(tag)

    def do_examine(self, tag, rest):
        self.opened = rest
        super().do_examine(tag, rest)

    def do_uid_search(self, tag, rest):
        wanted = re.search(rb'HEADER Message-ID "?<([^>]*)>', rest, re.I)
        if not wanted:
            return super().do_uid_search(tag, rest)
        assert b"Sent Items" in self.opened, self.opened
        self.put(b"* SEARCH", *(b" %d" % (n + 1) for n, one in enumerate(filed) if wanted.group(1) in one), b"\r\n")
        return self.ok(tag)

    def literal(self, rest):
        self.put(b"+ go on\r\n")
        message = self.stream.read(int(re.search(rb"\{(\d+)\}$", rest).group(1)))
        assert self.stream.readline() == b"\r\n"
        return message

    def do_append(self, tag, rest):
        assert re.match(rb'APPEND "Sent Items" \(\\Seen\) "24-Nov-2026 08:00:00 \+0000" \{\d+\}$', rest), rest
        filed.append(self.literal(rest))
        self.put(b"* 1 EXISTS\r\n", tag, b" OK [APPENDUID 9 1] done\r\n")


class Gmail(Sent):
    """Has filed it by itself."""
    capabilities = Sent.capabilities + b" X-GM-EXT-1"

    def do_append(self, tag, rest):
        self.put(tag, b" NO this was to be looked for first\r\n")


class OverQuota(Sent):
    def do_append(self, tag, rest):
        self.literal(rest)
        self.put(tag, b" NO [OVERQUOTA] the mailbox is \x1b[31mfull\r\n")


class RefusesAtOnce(Sent):
    def do_append(self, tag, rest):
        self.put(tag, b" NO [TRYCREATE] no such folder\r\n")


class TakesHalf(Sent):
    def do_append(self, tag, rest):
        self.put(tag, b" OK done\r\n")


class DropsAfterTaking(Sent):
    """Once: files the message, and says nothing of it."""
    dropped = False

    def do_append(self, tag, rest):
        if DropsAfterTaking.dropped:
            return super().do_append(tag, rest)
        DropsAfterTaking.dropped = True
        filed.append(self.literal(rest))
        raise hostile.Gone


class DropsInTheMiddle(DropsAfterTaking):
    def do_append(self, tag, rest):
        if DropsAfterTaking.dropped:
            return super().do_append(tag, rest)
        DropsAfterTaking.dropped = True
        self.put(b"+ go on\r\n")
        self.stream.read(70000)
        raise hostile.Gone


class NamesWithControls(Sent):
    listed = b'* LIST (\\Sent) "/" "Sent\x01Items"\r\n* LIST (\\Sent) "/" "S\xc3\xa9nt"\r\n* LIST (\\Sent) "/" {12}\r\nSent\r\nA1 NOO\r\n'


class MarksNone(Sent):
    listed = b'* LIST (\\HasNoChildren) "/" "Sent Items"\r\n'


class SearchRefused(Sent):
    def do_uid_search(self, tag, rest):
        if b"HEADER" in rest.upper():
            self.put(tag, b" NO not this\r\n")
        else:
            super().do_uid_search(tag, rest)


class GarbageToAppend(Sent):
    def do_append(self, tag, rest):
        self.put(b"+ \xff\x00)(\r\n")


hostile.main(globals(), lambda line: str(len(filed)) if line == "filed" else None)
