#!/usr/bin/python3
"""Reads messages with Python's email package, strictly, and compares what it finds with what went in.

Standard input: one JSON object a line, {"raw": base64, "from": [name, address], "to": …, "subject", "text", "html": substring or null,
"headers": [names], "files": [{"place": "inline" or "attachment", "name", "type", "id", "base64", "size"}]}. Prints each difference and exits 1; else prints how many messages were read.
"""
import base64
import email
import email.header
import email.policy
import json
import re
import sys


def wire_faults(raw):
    if any(byte > 127 for byte in raw):
        yield "not 7-bit"
    if b"\0" in raw or re.search(rb"\r(?!\n)|(?<!\r)\n", raw):
        yield "NUL, or a CR or LF by itself"
    if not raw.endswith(b"\r\n"):
        yield "no line end at the end"
    lines = raw.split(b"\r\n")
    for line in lines:
        if len(line) > 998:
            yield f"a line of {len(line)} octets"
        if line.startswith(b"From ") or line.startswith(b"."):
            yield f"a line that begins with {line[:10]!r}"
    for line in lines[: lines.index(b"")]:
        if len(line) > 78 and b" " in line.split(b":", 1)[-1].strip():
            yield f"a header line that could be folded: {line!r}"
        if not line.strip():
            yield "a header line of white space"


def decoded_name(raw, name):
    """The display name by the older decoder: the newer one of Python 3.11 leaves the space between two encoded words in (RFC 2047, 6.2)."""
    header = email.message_from_bytes(raw, policy=email.policy.compat32)[name]
    return str(email.header.make_header(email.header.decode_header(header.rsplit("<", 1)[0].strip())))


def mailbox_faults(raw, name, header, want):
    mailboxes = header.addresses
    if len(mailboxes) != 1:
        yield f"{name}: {len(mailboxes)} addresses"
        return
    found = [mailboxes[0].display_name, mailboxes[0].addr_spec]
    if found != want and [decoded_name(raw, name), found[1]] != want:
        yield f"{name}: {found} for {want}"


def content(part):
    return part.get_content().replace("\r\n", "\n")


def wanted_tree(case):
    """The content types as they must lie within one another: only the levels that are needed."""
    tree = ["multipart/alternative", ["text/plain"], ["text/html"]] if case["html"] is not None else ["text/plain"]
    for place, kind in (("inline", "multipart/related"), ("attachment", "multipart/mixed")):
        types = [[file["type"].split(";")[0].lower()] for file in case["files"] if file["place"] == place]
        tree = [kind, tree, *types] if types else tree
    return tree


def tree_of(part):
    return [part.get_content_type(), *(tree_of(inner) for inner in (part.iter_parts() if part.is_multipart() else ()))]


def file_faults(case, message):
    if tree_of(message) != wanted_tree(case):
        yield f"parts {tree_of(message)} for {wanted_tree(case)}"
    parts = [part for part in message.walk() if part.get_content_disposition()]
    if len(parts) != len(case["files"]):
        yield f"{len(parts)} files for {len(case['files'])}"
        return
    boundaries = [part.get_boundary() for part in message.walk() if part.is_multipart()]
    if any(one != other and other.startswith(one) for one in boundaries for other in boundaries):
        yield f"one boundary begins with another: {boundaries}"
    for part, file in zip(parts, case["files"]):
        if (part.get_content_disposition(), part.get_filename()) != (file["place"], file["name"]):
            yield f"{part.get_content_disposition()} {part.get_filename()!r} for {file['place']} {file['name']!r}"
        data = part.get_payload(decode=True)
        if len(data) != file["size"] or data != base64.b64decode(file["base64"]):
            yield f"other octets in {file['name']!r}"
        if file["place"] == "inline" and part["content-id"] != f"<{file['id']}>":
            yield f"Content-ID {part['content-id']} for {file['id']}"
        for line in part.as_bytes().splitlines():
            if len(line) > 100:
                yield f"a line of {len(line)} octets in {file['name']!r}"


def faults(case):
    raw = base64.b64decode(case["raw"])
    yield from wire_faults(raw)
    message = email.message_from_bytes(raw, policy=email.policy.strict)
    names = [name.lower() for name in message.keys()]
    if sorted(names) != sorted(name.lower() for name in case["headers"]):
        yield f"headers {names}"
    for part in message.walk():
        if part.defects:
            yield f"defects {part.defects}"
        for name, value in part.items():
            if value.defects:
                yield f"{name}: defects {value.defects}"
    yield from mailbox_faults(raw, "From", message["from"], case["from"])
    yield from mailbox_faults(raw, "To", message["to"], case["to"])
    if message["subject"] != case["subject"]:
        yield f"subject {message['subject']!r} for {case['subject']!r}"
    if message["date"].datetime.tzinfo is None:
        yield "a date without a zone"
    yield from file_faults(case, message)
    plain = message.get_body(("plain",))
    if content(plain) != case["text"]:
        yield f"text {content(plain)!r} for {case['text']!r}"
    html = message.get_body(("html",))
    if (case["html"] is None) != (html is None):
        yield "HTML where there is none, or none where there is"
    elif html is not None and case["html"] not in content(html):
        yield f"HTML {content(html)!r} without {case['html']!r}"


def main():
    count = failed = 0
    for line in sys.stdin.buffer:
        count += 1
        case = json.loads(line, strict=False)
        try:
            found = list(faults(case))
        except Exception as error:  # a defect that the strict policy raises
            found = [f"{type(error).__name__}: {error}"]
        for fault in found:
            print(f"message {count}: {fault}"[:2000])
        failed += bool(found)
    print(f"{count} messages, {failed} at fault")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
