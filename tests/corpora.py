#!/usr/bin/python3
"""How `nurture read` understands other people's messages: a confusion table by class, and the share that is right.

usage: corpora.py [FOLDER]   FOLDER holds corpora with a manifest.tsv each (default: $NURTURE_DATA/corpora, else ../shared/data/corpora).
Programs come from $NURTURE_BIN (default: build). Bodies without a header are wrapped in one.
"""
import collections
import csv
import json
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = os.environ.get("NURTURE_BIN", os.path.join(TOP, "build"))
DATA = os.environ.get("NURTURE_DATA", os.path.join(TOP, "..", "shared", "data"))
WANT = {"bounce-hard": "bounce", "bounce-soft": "bounce", "bounce": "bounce", "bounce-mixed": "bounce", "autoreply": "auto-reply", "human-reply": "reply", "complaint": "complaint", "other": "other"}


def rows(folder):
    for corpus in sorted(os.listdir(folder)):
        manifest = os.path.join(folder, corpus, "manifest.tsv")
        if not os.path.exists(manifest):
            continue
        with open(manifest, encoding="utf-8", newline="") as file:
            for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                if row and not row[0].startswith("#") and len(row) > 5:
                    yield corpus, row


def wrapped(path, target):
    """The file as a message: a body gets a header of its own."""
    with open(path, "rb") as file:
        body = file.read()
    if b"\n" not in body and b"\r" in body:  # the file itself is read as it is; this only finds its header
        with open(target, "wb") as file:
            file.write(body)
        return
    if not re.search(rb"^(?:From|To|Received|Return-Path|Date|Subject|Message-ID|MIME-Version|Content-Type|Content-Transfer-Encoding|Delivered-To):", re.split(rb"\r?\n\r?\n", body, 1)[0], re.I | re.M) or path.endswith((".html", ".txt")):
        kind = b"text/html" if path.endswith(".html") else b"text/plain"
        body = b"From: a@b.example\r\nTo: c@d.example\r\nSubject: Re: x\r\nIn-Reply-To: <x@d.example>\r\nContent-Type: " + kind + b"; charset=utf-8\r\n\r\n" + body
    with open(target, "wb") as file:
        file.write(body)


def read_all(paths):
    answers = []
    with tempfile.TemporaryDirectory() as folder:
        targets = [os.path.join(folder, str(i)) for i in range(len(paths))]
        for path, target in zip(paths, targets):
            wrapped(path, target)
        for start in range(0, len(targets), 200):
            result = subprocess.run([os.path.join(BIN, "nurture"), "read", "--json", *targets[start:start + 200]], capture_output=True, text=True, check=True)
            answers += [json.loads(line) for line in result.stdout.splitlines()]
    return answers


def flat(text):
    return re.sub(r"\s+", " ", text).strip()


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(DATA, "corpora")
    if not os.path.isdir(folder):
        print(f"no corpora at {folder}")
        return 1
    found = [(corpus, row) for corpus, row in rows(folder) if os.path.exists(os.path.join(folder, corpus, "files", row[0]))]
    answers = read_all([os.path.join(folder, corpus, "files", row[0]) for corpus, row in found])
    table, tally, wrong = collections.Counter(), collections.Counter(), []
    for (corpus, row), answer in zip(found, answers):
        name, label, _, status, expected, extra = row[:6]
        want = WANT.get(label)
        table[label, answer["class"]] += 1
        if want and want != answer["class"] and label != "other":
            wrong.append(f"{corpus}/{name}: {label} read as {answer['class']} ({answer['evidence']})")
        if want == "bounce" and answer["class"] == "bounce":
            kind = answer["bounce"]["kind"]
            if label in ("bounce-hard", "bounce-soft"):
                if not (label.endswith(kind) or (kind == "delayed" and label == "bounce-soft")):
                    wrong.append(f"{corpus}/{name}: severity {label}, not {kind}: {answer['bounce']['status']} {answer['bounce']['diagnostic'][:90]}")
                tally["severity, labels not made up" if "pseudo_status" not in extra else "severity, labels made up", label.endswith(kind) or (kind == "delayed" and label == "bounce-soft")] += 1
            if status and "pseudo_status" not in extra:
                tally["status", answer["bounce"]["status"] in re.split(r"[ ,;]+", status)] += 1
        if label == "human-reply" and expected and os.path.exists(os.path.join(folder, corpus, expected)):
            with open(os.path.join(folder, corpus, expected), encoding="utf-8", errors="replace") as file:
                text = file.read()
            same = "".join(answer["text"].split()) == "".join(text.split()) if "ignore-whitespace" in extra else answer["text"].strip() == text.strip()
            tally["new text, exact", same] += 1
            if not same:
                wrong.append(f"{corpus}/{name}: new text {answer['text']!r}, not {text!r}")
            tally["new text, lenient", flat(answer["text"])[:len(flat(text))] == flat(text) or flat(text).startswith(flat(answer["text"])) and bool(answer["text"])] += 1
    classes = sorted({read for _, read in table})
    print(f"{'label':14}" + "".join(f"{name:>13}" for name in classes))
    for label in sorted({label for label, _ in table}):
        print(f"{label:14}" + "".join(f"{table[label, name] or '':>13}" for name in classes))
    for what in sorted({what for what, _ in tally}):
        right, total = tally[what, True], tally[what, True] + tally[what, False]
        print(f"{what}: {right} of {total} ({100 * right / total:.1f} %)")
    if os.environ.get("VERBOSE"):
        print("\n".join(wrong))
    return 0


if __name__ == "__main__":
    sys.exit(main())
