#!/usr/bin/python3
"""How well `nurture read` understands mail that others wrote: `tests/corpora.py [--misses] [FOLDER]`.

Reads labelled collections (manifest.tsv: file, class, recipients, status, expected text, more as JSON, origin) below FOLDER
($NURTURE_DATA/corpora or ../shared/data/corpora), and prints a table of classes told against classes labelled and the shares
that matter, each with its target. Exit status 1 where a target is missed, 0 where all are met or no collection is there.
"""
import argparse
import collections
import difflib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent
CLASSES = ["reply", "auto-reply", "bounce", "complaint", "unsubscribe", "other"]
WANTED = {"autoreply": "auto-reply", "human-reply": "reply", "complaint": "complaint", "other": "other",
          "bounce": "bounce", "bounce-hard": "bounce", "bounce-soft": "bounce", "bounce-mixed": "bounce"}
TARGETS = {  # in per cent: at least, or at most where the name ends in "anything else"
    "bounces recognised": 98, "bounces hard against soft": 95, "bounces' status code": 95,
    "bounces' recipient, where the message holds one": 98, "human replies taken for anything else": 0.5,
    "new text, exact": 85, "new text, leniently": 95, "new text, what must and must not be in it": 95,
    "attachments' names": 100, "subjects": 100, "senders' names": 100, "texts in their charsets": 100,
}
WRAP = b"From: Kari <kari@example.net>\r\nTo: anna@example.com\r\nSubject: Re: Hello\r\nMessage-ID: <1@example.net>\r\n" \
       b"In-Reply-To: <2@example.com>\r\nDate: Tue, 24 Nov 2026 09:00:00 +0100\r\nMIME-Version: 1.0\r\n"


class Case:
    def __init__(self, folder, row):
        cells = row.rstrip("\n").split("\t") + [""] * 7
        self.folder, self.file, self.label = folder, cells[0], cells[1]
        self.recipients, self.status = cells[2].split(",") if cells[2] else [], cells[3]
        self.expected = (folder / cells[4]).read_text("utf-8") if cells[4] else None
        self.more = json.loads(cells[5]) if cells[5].startswith("{") else {}
        self.path = folder / "files" / cells[0]
        self.result = None

    def name(self):
        return f"{self.folder.name}/{self.file}"

    def message(self):
        """The bytes of a message: bodies are wrapped in headers."""
        raw = self.path.read_bytes()
        if self.path.suffix == ".html":
            return WRAP + b"Content-Type: text/html\r\n\r\n" + raw
        if self.path.suffix != ".eml" and self.label == "human-reply":
            return WRAP + b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + raw
        return raw


def load(folder):
    for manifest in sorted(folder.glob("*/manifest.tsv")):
        for row in manifest.read_text("utf-8").splitlines():
            if row and not row.startswith("#"):
                case = Case(manifest.parent, row)
                if case.path.is_file() and "label file" not in row:
                    yield case


def read_all(cases, program):
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, case in enumerate(cases):
            paths.append(os.path.join(folder, f"{number}.eml"))
            pathlib.Path(paths[-1]).write_bytes(case.message())
        run = subprocess.run([program, "read", "--json", *paths], capture_output=True, text=True, check=False)
        for line in run.stdout.splitlines():
            result = json.loads(line)
            cases[int(pathlib.Path(result["file"]).stem)].result = result
    for case in cases:
        if case.result is None:
            sys.exit(f"{program} read: nothing about {case.name()}: {run.stderr[-2000:]}")


class Tally:
    """Shares, and what was missed."""

    def __init__(self):
        self.seen, self.right, self.misses = collections.Counter(), collections.Counter(), []

    def count(self, what, case, right, detail=""):
        self.seen[what] += 1
        self.right[what] += bool(right)
        if not right:
            self.misses.append(f"{what}: {case.name()}: {detail}")


def bounces_of(result):
    return result.get("bounces") or ([result["bounce"]] if "bounce" in result else [])


def held_recipients(raw):
    """The addresses that fields of the message say were not reached: Final-Recipient and X-Failed-Recipients."""
    text = raw.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")
    found = re.findall(r"^Final-Recipient:\s*rfc822;\s*<?([^\s<>;\"@:]+@[^\s<>;]+)", text, re.I | re.M)
    found += re.findall(r"[\w.%+-]+@[\w.-]+", " ".join(re.findall(r"^X-Failed-Recipients:(.*)", text, re.I | re.M)))
    return {address.lower().rstrip(".") for address in found}


def score_bounce(case, tally):
    told = case.result["class"] == "bounce"
    tally.count("bounces recognised", case, told, f"{case.result['class']}: {case.result['subject']}")
    bounces = bounces_of(case.result)
    kinds = {"hard" if b.get("kind") == "hard" else "soft" for b in bounces}
    text = f"{[(b.get('kind'), b.get('status'), b.get('diagnostic', '')[:150]) for b in bounces[:2]]} wanted {case.label} {case.status}"
    if case.label in ("bounce-hard", "bounce-soft") and not case.more.get("pseudo_status"):
        tally.count("bounces hard against soft", case, kinds == {case.label[7:]}, text)
    if case.status and not case.more.get("pseudo_status"):
        told_codes = {b.get("status") for b in bounces}
        tally.count("bounces' status code", case, told_codes & set(case.status.split(",")), text)
    held = set(case.recipients) or held_recipients(case.message())
    if held:
        told_recipients = {b.get("recipient", "").lower() for b in bounces}
        tally.count("bounces' recipient, where the message holds one", case, told_recipients & held, f"{told_recipients} of {held}")


def squeeze(text):
    return " ".join(text.split())


def bare(text):
    return "".join(text.split())


def score_text(case, tally):
    text, more = case.result.get("text", ""), case.more
    if case.expected is not None:
        want, got = bare(case.expected), bare(text)
        # a collection that keeps signatures: the new text may end where the signature begins
        signature_cut = more.get("signature_kept") and got and want.startswith(got) and \
            case.expected.strip().count("\n") - text.strip().count("\n") <= 6
        tally.count("new text, exact", case, want == got or signature_cut, f"\n    {text!r}\n    {case.expected!r}")
        ratio = difflib.SequenceMatcher(None, squeeze(text), squeeze(case.expected), autojunk=False).ratio()
        tally.count("new text, leniently", case, want == got or signature_cut or ratio >= 0.9 or (got and want.startswith(got)),
                    f"{ratio:.2f}")
    wanted = more.get("must_contain", []) + ([more["must_start_with"]] if "must_start_with" in more else [])
    banned = more.get("must_not_contain", []) + [old for old in more.get("older_message_contains", []) if len(old) > 8]
    if wanted or banned:
        faults = [w for w in wanted if squeeze(w) not in squeeze(text)] + [b for b in banned if squeeze(b) in squeeze(text)]
        tally.count("new text, what must and must not be in it", case, not faults, f"{faults}\n    {text!r}")


def score_mime(case, tally):
    names = [a.get("name") for a in case.result.get("attachments", [])]
    if "attachment_filename" in case.more:
        tally.count("attachments' names", case, case.more["attachment_filename"] in names, f"{names}, not {case.more}")
    if "subject" in case.more:
        tally.count("subjects", case, squeeze(case.more["subject"]) == squeeze(case.result["subject"]),
                    f"{case.result['subject']!r}, not {case.more['subject']!r}")


def values_of(part, header):
    return [each["value"] for each in part["headers"] if each["name"] == header]


def score_parse(case, tally):
    """Against another parser's whole reading of the message. A text that holds what is of no charset says nothing about charsets."""
    whole = json.loads(case.expected)
    got = bare(case.result["full_text"])
    for number in whole.get("text_body", []):
        body = whole["parts"][number]["body"]
        text = bare(body.get("Text", "")) if isinstance(body, dict) else ""
        if text and not set(text) & {"\0", "\ufffd"} and not text.isascii():
            tally.count("texts in their charsets", case, text[:200] in got, f"{text[:60]!r}, not {got[:60]!r}")
    for value in values_of(whole["parts"][0], "from")[:1]:
        people = value.get("Address", {}).get("List", []) if isinstance(value, dict) else []
        if len(people) == 1 and people[0].get("name") and people[0].get("address"):
            name = case.result.get("from_name", "")
            tally.count("senders' names", case, squeeze(people[0]["name"]) == squeeze(name), f"{name!r}, not {people[0]['name']!r}")


def score(cases):
    tally, table = Tally(), collections.Counter()
    for case in cases:
        if case.label not in WANTED:
            continue
        table[WANTED[case.label], case.result["class"]] += 1
        if WANTED[case.label] == "bounce":
            score_bounce(case, tally)
        elif case.label == "human-reply":
            wrong = case.result["class"] != "reply"
            tally.count("human replies taken for anything else", case, not wrong, f"{case.result['class']} {case.result.get('evidence', '')}")
            score_text(case, tally)
        elif WANTED[case.label] != case.result["class"]:
            tally.count(f"{case.label} told right", case, False, f"{case.result['class']}: {case.result['subject']}")
        else:
            tally.count(f"{case.label} told right", case, True)
        score_mime(case, tally)
        if "crlf_json" in case.more:
            score_parse(case, tally)
    return tally, table


def show(tally, table):
    """Prints table and shares; the number of targets missed."""
    print("labelled \\ told".ljust(16) + "".join(c.rjust(13) for c in CLASSES))
    for label in CLASSES:
        row = [table[label, told] for told in CLASSES]
        if any(row):
            print(label.ljust(16) + "".join((str(n) if n else ".").rjust(13) for n in row))
    missed = 0
    for what in sorted(tally.seen, key=lambda w: (w not in TARGETS, list(TARGETS).index(w) if w in TARGETS else w)):
        share = 100 * tally.right[what] / tally.seen[what]
        verdict = ""
        if what in TARGETS:
            at_most = what.endswith("anything else")
            share = 100 - share if at_most else share
            good = share < TARGETS[what] if at_most else share >= TARGETS[what]
            missed += not good
            verdict = f"  {'below' if at_most else 'at least'} {TARGETS[what]} %: {'met' if good else 'MISSED'}"
        print(f"{what:48} {share:6.1f} % of {tally.seen[what]}{verdict}")
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=pathlib.Path,
                        default=pathlib.Path(os.environ.get("NURTURE_DATA", TOP.parent / "shared/data")) / "corpora")
    parser.add_argument("--misses", action="store_true", help="also show each miss")
    parser.add_argument("--program", default=os.environ.get("NURTURE_BIN", TOP / "build") / pathlib.Path("nurture"))
    arguments = parser.parse_args()
    cases = list(load(arguments.folder))
    if not cases:
        print(f"no collections at {arguments.folder}: nothing to compare with")
        return 0
    read_all(cases, arguments.program)
    tally, table = score(cases)
    if arguments.misses:
        print("\n".join(sorted(tally.misses)))
    return 1 if show(tally, table) else 0


if __name__ == "__main__":
    sys.exit(main())
