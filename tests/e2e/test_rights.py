"""A person's rights: everything about them in one piece, and nothing of them left in the files once they are erased."""
import glob
import json
import os
import random
import sqlite3
import subprocess

import pytest
from world import Folder, wait_for
from world.nurture import BIN, Nurture, account
from world.sink import Sink

KARI, ALIAS, OLA = "kari.nordmann@fjord.example", "knordmann@privat.example", "ola@berg.example"
MARKS = ["Karianne", "Nordmannsen", "Fjordlaksen", "sjokolade", "bursdagen", "innvending", "Lindebjerg"]
RULES = """{ name = "hello"; anchor = "stage"; when = { stage = "pitching"; }; stop_on = [ ];
             steps = ( { after = "1 minute"; template = "hello"; }, { after = "900 days"; template = "again"; } ); }"""


@pytest.fixture
def one():
    sink = Sink()
    folder = Folder("nurture-rights-")
    folder.write("templates/hello.md", "Subject: About the tilbudsbrevet\n\nDear {{first_name}} of {{company}}, the tilbudsbrevet is on its way.\n")
    folder.write("templates/again.md", "Subject: Again\n\nDear {{first_name}}, again.\n")
    nurture = Nurture(folder, accounts=account(f'{{ url = "smtp://127.0.0.1:{sink.port}"; tls = "none"; }}'), rules=RULES, templates=folder / "templates")
    nurture.run("contact", "add", KARI, "--first-name", "Karianne", "--last-name", "Nordmannsen", "--company", "Fjordlaksen AS", "--tag", "sjokolade",
                "--attribute", "birthday=bursdagen")
    nurture.run("contact", "alias", KARI, "add", ALIAS)
    nurture.run("contact", "add", OLA, "--first-name", "Ola", "--company", "Berg AS")
    yield nurture
    nurture.stop()
    sink.close()
    folder.close()


def live_through(one):
    """Mail, notes, tasks and referrals of Kari, among those of others who name her."""
    one.start("--clock", "2026-11-24T08:00:00Z", "--speed", "600")
    one.run("contact", "stage", KARI, "pitching")
    one.run("contact", "stage", OLA, "pitching")
    wait_for(lambda: one.history(KARI, "sent") and one.history(OLA, "sent"), 20, what=one.log_text)
    one.run("log", KARI, "call", "She has an innvending, " + "and a long one " * 400)
    one.run("log", OLA, "note", f"Knows Kari: <{KARI}>, or {ALIAS.upper()}. Not x{KARI} or {KARI}.br, but {KARI}.")
    one.run("task", "add", KARI, "send the innvending", "--due", "tomorrow")
    one.run("task", "add", OLA, f"ask about {KARI}", "--due", "tomorrow")
    one.run("contact", "set", KARI, "--attribute", "where=Lindebjerg")
    with sqlite3.connect(one.folder / "nurture.db", timeout=10) as store:
        ids = dict(store.execute("SELECT email, id FROM contact"))
        for referrer, friend, address in ((OLA, KARI, ALIAS), (KARI, None, "friend@x.example")):
            store.execute("INSERT INTO referral (referrer_id, contact_id, address, name, state, evidence, message_id, rule, at_ms)"
                          " VALUES (?, ?, ?, 'Karianne N', 'accepted', 'ask Karianne', '', 'hello', 1)", (ids[referrer], ids.get(friend), address))
    store.close()


def grow(one, seed):
    """Others' histories, so that pages of the file are split, moved and freed."""
    rng = random.Random(seed)
    with sqlite3.connect(one.folder / "nurture.db", timeout=10) as store:
        ids = [row[0] for row in store.execute("SELECT id FROM contact")]
        for _ in range(300):
            store.execute("INSERT INTO interaction (contact_id, at_ms, kind, account, rule, step, subject, text, full_text, message_id, detail)"
                          " VALUES (?, 1, 'note', '', '', '', '', ?, '', '', '')", (rng.choice(ids), "x" * rng.randrange(3000)))
    store.close()


def left_of(one, words):
    """(file, word) of what can still be found in the store's files, its log included."""
    found = []
    for name in filter(os.path.isfile, glob.glob(str(one.folder / "nurture.db*"))):
        with open(name, "rb") as file:
            content = file.read().lower()
        found += [(name.rsplit("/", 1)[1], word) for word in words if word.lower().encode() in content]
    return found


@pytest.mark.parametrize("running", [True, False], ids=["while nurtured runs", "while it is stopped"])
def test_nothing_is_left_in_the_files(one, running):
    live_through(one)
    for seed in range(3):
        grow(one, seed)
        one.run("contact", "set", KARI, "--attribute", f"note{seed}=innvending " + "i" * 1500)
    one.run("contact", "set", KARI, "--attribute", "note1=")
    if not running:
        one.stop()
    assert {word for _, word in left_of(one, MARKS)} == set(MARKS)
    result = one.run("contact", "forget", KARI, "--yes", "--suppress")
    assert result.stderr == "" and "erased" in result.stdout
    assert left_of(one, [*MARKS, ALIAS]) == []
    note = next(entry["text"] for entry in one.history(OLA, "note") if entry["text"].startswith("Knows"))
    assert note == f"Knows Kari: <(erased)>, or (erased). Not x{KARI} or {KARI}.br, but (erased)."
    assert one.json("task", "list")[0]["text"] == "ask about (erased)"
    assert one.json("contact", "export", OLA)[0]["referrals"] == []
    assert [row["address"] for row in one.json("suppression")] == [None, None]
    one.run("contact", "add", KARI)
    assert one.json("contact", "show", KARI)[0]["suppressed"] == "manual"


def test_export_has_everything(one):
    live_through(one)
    one.run("suppression", "add", ALIAS, "--reason", "unsubscribe", "--detail", "by telephone")
    whole = one.json("contact", "export", KARI)[0]
    assert json.loads(one.run("contact", "export", KARI).stdout) == whole
    assert whole["contact"]["aliases"] == [ALIAS] and whole["company"]["name"] == "Fjordlaksen AS"
    assert whole["suppressions"][0]["detail"] == "by telephone" and whole["tasks"][0]["text"] == "send the innvending"
    assert sorted(entry["kind"] for entry in whole["history"]) == ["call", "sent", "stage", "stage", "task"]
    assert any("Dear Karianne of Fjordlaksen AS" in entry["text"] for entry in whole["history"] if entry["kind"] == "sent")
    sent = next(entry for entry in whole["history"] if entry["kind"] == "sent")
    assert (sent["rule"], sent["step"], sent["basis"]) == ("hello", "hello", f"prospect, added on {whole['contact']['created_at'][:10]}")
    assert whole["messages"][0]["state"] == "sent" and whole["enrolments"][0]["rule"] == "hello"
    assert whole["referrals"][0]["email"] == "friend@x.example" and whole["referred_by"][0]["referrer"] == OLA
    text = one.run("contact", "export", KARI, "--text").stdout

    def words(value):
        if isinstance(value, dict):
            return [word for member in value.values() for word in words(member)]
        if isinstance(value, list):
            return [word for element in value for word in words(element)]
        return str(value).split() if isinstance(value, str) else []
    assert [word for word in words(whole) if word not in text] == []
    assert text.startswith("CONTACT\n") and "\nREFERRED BY\n" in text and "\033" not in text
    result = one.run("contact", "export", KARI, "--text", "--json", check=False)
    assert result.returncode == 2 and "not both" in result.stderr


def test_bodies_are_dropped_when_they_are_old_enough(one):
    """The fact of each mail stays; notes, and what is younger, stay whole; what is dropped is out of the file."""
    with open(one.config, "a", encoding="utf-8") as config:
        config.write('retention = { bodies = "2 years"; };\n')
    with sqlite3.connect(one.folder / "nurture.db") as store:
        contact = store.execute("SELECT id FROM contact WHERE email = ?", (KARI,)).fetchone()[0]
        for number, (when, kind) in enumerate([("2024-11-01", "sent"), ("2024-11-02", "reply"), ("2024-11-03", "note"), ("2024-12-24", "reply")] + [("2024-01-01", "reply")] * 3000):
            store.execute("INSERT INTO interaction (contact_id, at_ms, kind, account, rule, step, subject, text, full_text, message_id, detail)"
                          " VALUES (?, strftime('%s', ?) * 1000, ?, '', 'r', 's', 'Subject', ?, 'sjokolade', 'm', 'd')", (contact, when, kind, f"innvending {number}"))
    store.close()
    one.start("--clock", "2026-11-24T08:00:00Z", "--speed", "1")

    def dropped(number):
        return [status for status in one.json("status") if status["retention"]["dropped"] == number and "looked_at" in status["retention"]]
    wait_for(lambda: dropped(3002), 20, what=one.log_text)
    assert "kept for 2 years: 3002 dropped" in one.run("status").stdout
    kept = [(entry["at"][:10], entry["kind"], entry["text"]) for entry in one.history(KARI, "sent", "reply", "note") if entry["text"]]
    assert kept == [("2024-11-03", "note", "innvending 2"), ("2024-12-24", "reply", "innvending 3")]
    entry = one.history(KARI, "sent")[0]
    assert (entry["subject"], entry["rule"], entry["message_id"], entry["detail"], entry["text"]) == ("Subject", "r", "m", "d", "")
    assert len(one.history(KARI, "reply")) == 3002
    one.stop()
    one.start("--clock", "2026-12-23T22:30:00Z", "--speed", "10000")
    wait_for(lambda: dropped(1), 20, what=one.log_text)  # the next day, without a restart
    assert [entry["kind"] for entry in one.history(KARI, "note", "reply", "sent") if entry["text"]] == ["note"]
    one.stop()
    assert one.json("contact", "export", KARI)[0]["history"] and left_of(one, ["innvending 1 ", "innvending 7"]) == []


@pytest.mark.parametrize("value,what", [("5 hours", "shorter than a day"), ("300 business days", "business days"), ("soon", "soon")])
def test_a_retention_that_cannot_be_meant_is_told(one, value, what):
    with open(one.config, "a", encoding="utf-8") as config:
        config.write(f'retention = {{ bodies = "{value}"; }};\n')
    result = one.run("check", check=False)
    assert result.returncode == 1 and what in result.stdout + result.stderr


@pytest.mark.parametrize("change,rule,want", [
    (["--customer-since", "2026-03-01"], "", "customer since 2026-03-01"),
    (["--source", "fair in Oslo"], "", "prospect, source fair in Oslo, added on "),
    (["--customer-since", "2026-03-01"], ' basis = "consent at the fair";', "consent at the fair"),
])
def test_the_basis_of_each_send_is_on_the_record(one, change, rule, want):
    with open(one.config, encoding="utf-8") as file:
        text = file.read()
    with open(one.config, "w", encoding="utf-8") as file:
        file.write(text.replace('{ name = "hello";', '{ name = "hello";' + rule))
    one.run("contact", "set", KARI, *change)
    one.start("--clock", "2026-11-24T08:00:00Z", "--speed", "600")
    one.run("contact", "stage", KARI, "pitching")
    wait_for(lambda: one.history(KARI, "sent"), 20, what=one.log_text)
    assert one.history(KARI, "sent")[0]["basis"].startswith(want)
    assert f"Basis: {want}" in one.run("history", KARI).stdout


def test_show_has_what_a_salesperson_looks_for(one):
    live_through(one)
    one.run("log", KARI, "meeting", "lunch")
    text = one.run("contact", "show", KARI).stdout
    lines = [line.strip() for line in text.splitlines()]
    for heading in ("open tasks", "introduced", "introduced by", "stages"):
        assert heading in lines, text
    assert any(line.endswith("send the innvending (1, anna)") for line in lines) and any(line.endswith("research -> pitching") for line in lines)
    whole = one.json("contact", "show", KARI)[0]
    assert whole["tasks"][0]["text"] == "send the innvending" and whole["referrals"][0]["email"] == "friend@x.example" and len(whole["referred_by"]) == 1
    narrow = subprocess.run([os.path.join(BIN, "nurture"), "-c", one.config, "contact", "show", KARI], check=True, capture_output=True, text=True,
                            env={**os.environ, "COLUMNS": "60"}).stdout
    assert max(len(line) for line in narrow.splitlines()) <= 60
