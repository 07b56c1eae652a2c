"""Messages made to cost as much as they can, each read by a program that may have so much address space and processor time and no more.

The program is the one without sanitizers, whose memory such a limit would not measure (`make all`).
"""
import base64
import json
import os
import resource
import subprocess

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(TOP, "build", "nurture")
MIB = 1024 * 1024
# what the libraries map, and a few copies of the 32 MiB of a message that are looked at; each needs a fraction of a second
ADDRESS_SPACE, CPU_SECONDS = 256 * MIB, 20
HEAD = b"From: Kari <kari@kunde.example>\r\nTo: anna@example.com\r\nSubject: Re: x\r\nIn-Reply-To: <abc@example.com>\r\nMIME-Version: 1.0\r\n"
PLAIN, HTML = HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\n", HEAD + b"Content-Type: text/html; charset=utf-8\r\n\r\n"
FULL = 9 * MIB  # more than a watcher fetches of a message; some are longer than what is looked at at all


def full(piece, size=FULL):
    return piece * (size // len(piece))


def deep(levels):
    return HEAD + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(levels)) + b"\r\nhi\r\n"


def deep_messages(levels):
    return HEAD + b"Content-Type: message/rfc822\r\n\r\n" * levels + b"\r\nhi\r\n"


def parts(count, head=b"Content-Type: text/plain"):
    return HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n%b\r\n\r\nx\r\n" % head * count + b"--b--\r\n"


def encoded(type_of, content):
    return HEAD + b"Content-Type: " + type_of + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(content)


def winmail():
    # attributes without data, then one that promises more than there is, and properties without end
    return encoded(b"application/ms-tnef", b"\x78\x9f\x3e\x22\x01\x00" + (b"\x02\x02\x90\x06\x00" + bytes(6)) * 1_000_000 +
                   b"\x01\x03\x90\x06\x00\xff\xff\xff\x7f" + b"\xff" * MIB)


CASES = {
    "10,000 levels of MIME": lambda: deep(10_000),
    "100,000 levels of messages": lambda: deep_messages(100_000),
    "a line of 100 MB": lambda: PLAIN + b"x" * 100_000_000,
    "a line of 100 MB, quoted": lambda: PLAIN + b"> On 24 Nov 2026 at 09:00, Anna <a@b.example> wrote: " * 2_000_000,
    "a million headers": lambda: b"".join(b"X-%d: y\r\n" % i for i in range(1_000_000)) + PLAIN + b"hi\r\n",
    "a header of 100 MB": lambda: b"X-A: " + b"y" * 100_000_000 + b"\r\n" + PLAIN + b"hi\r\n",
    "a subject of encoded words, 100 MB": lambda: b"Subject:" + b" =?utf-8?q?=C3=A5?=\r\n" * 5_000_000 + PLAIN + b"hi\r\n",
    "a million recipients": lambda: b"To: " + b"a@b.example, " * 1_000_000 + b"\r\n" + PLAIN + b"hi\r\n",
    "nested groups of recipients": lambda: b"To: " + b"(" * 1_000_000 + b"a:" * 100_000 + b"\r\n" + PLAIN + b"hi\r\n",
    "a million references": lambda: b"References: " + b"<a@b.example>\r\n " * 1_000_000 + b"\r\n" + PLAIN + b"hi\r\n",
    "100,000 parts": lambda: parts(100_000),
    "100,000 parts with names": lambda: parts(100_000, b"Content-Disposition: attachment; filename*0*=utf-8''%C3%A5; filename*1=b"),
    "a parameter in 100,000 pieces": lambda: parts(1, b"Content-Disposition: attachment;" + b"".join(b" filename*%d=a;\r\n" % i for i in range(100_000))),
    "base64 of nothing but zeros": lambda: encoded(b"text/plain", bytes(24 * MIB)),
    "base64 of HTML": lambda: encoded(b"text/html", full(b"<b>a</b>", 24 * MIB)),
    "winmail.dat": winmail,
    "100,000 nested tags": lambda: HTML + b"<div><blockquote>" * 50_000 + b"x" + b"</blockquote></div>" * 50_000,
    "tables in tables": lambda: HTML + full(b"<table><tr><td>"),
    "a tag with a million attributes": lambda: HTML + b"<a " + b"".join(b"a%d=1 " % i for i in range(1_000_000)) + b">x</a>",
    "a flood of entities": lambda: HTML + full(b"&amp;&#x1F600;&nbsp;&lt;"),
    "entities of entities": lambda: HTML + b"<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\">" + b"".join(
        b"<!ENTITY %c \"%b\">" % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(20)) + b"]><p>&u;&u;</p>",
    "comments that never end": lambda: HTML + full(b"<!--"),
    "scripts": lambda: HTML + full(b"<script><style>"),
    "empty lines": lambda: PLAIN + full(b"\n"),
    "quoted empty lines": lambda: PLAIN + full(b">\n"),
    "attributions": lambda: PLAIN + full(b"On Tue, 24 Nov 2026 at 09:00, Anna Berg <anna@example.com>\n"),
    "headers of older messages": lambda: PLAIN + full(b"From: a@b.example\nSent: 1\n\n"),
    "almost separators": lambda: PLAIN + full(b"- _ = " * 80 + b"\n"),
    "dates": lambda: b"Auto-Submitted: auto-replied\r\n" + PLAIN + full(b"until 1.2.3 until 24. to 28 of november back on monday "),
    "almost disclaimers": lambda: PLAIN + full(b"This e-mail is confidential " * 20 + b"\n\n"),
    "words that ask to stop": lambda: PLAIN + full(b"please unsubscribe me from your "),
    "a bounce of addresses": lambda: b"From: MAILER-DAEMON@x.example\r\nSubject: failure notice\r\n\r\n" + full(b"<a@b.example>: 550 5.1.1 user unknown\n"),
    "a bounce of one line": lambda: b"From: MAILER-DAEMON@x.example\r\nSubject: failure notice\r\n\r\n" + full(b"user a@b.example account 550 not 5.1.1 "),
    "a report of 100,000 recipients": lambda: b"From: MAILER-DAEMON@x.example\r\nContent-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        + b"Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.1.1\n\n" * 100_000 + b"--b--\r\n",
    "JSON in JSON": lambda: PLAIN + b"{\"notificationType\":" * 10_000 + b"[" * 1_000_000,
    "flowed": lambda: HEAD + b"Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\n" + full(b">a \n"),
    "soft line ends": lambda: HEAD + b"Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + full(b"=\r\n"),
    "escapes of a charset": lambda: HEAD + b"Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n" + full(b"\x1b$B\x1b(B"),
    "bytes of no charset": lambda: HEAD + b"Content-Type: text/plain; charset=gb2312\r\n\r\n" + full(b"\xff\xfe\x81"),
    "boundaries": lambda: HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + full(b"--b\r\n"),
}


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))


@pytest.mark.parametrize("name", CASES)
def test_reading_is_bounded(name, tmp_path):
    """The program ends by itself, within its limits, and says what it could read."""
    assert os.path.exists(PROGRAM), f"{PROGRAM} is not built: make all"
    path = tmp_path / "message.eml"
    path.write_bytes(CASES[name]())
    run = subprocess.run([PROGRAM, "read", "--json", path], capture_output=True, check=False, preexec_fn=limit)
    path.unlink()
    assert run.returncode == 0, (run.returncode, run.stderr[-500:])
    told = json.loads(run.stdout)
    assert told["class"] and told["evidence"] and len(told["text"]) <= 256 * 1024 and len(told["attachments"]) <= 50
