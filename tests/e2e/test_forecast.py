"""nurture forecast: what it says is what the daemon then sends; it stores and sends nothing; and it compares configurations."""
import datetime
import hashlib
import time

from conftest import wait_for, write_csv
from world import Folder
from world.nurture import Nurture, account, server

RULES = """
  { name = "pitch"; anchor = "stage"; when = { stage = "pitching"; };
    steps = ( { after = "2 days"; template = "pitch-1"; }, { after = "4 days"; template = "pitch-2"; same_thread = true; } ); },
  { name = "care"; anchor = "customer"; when = { customer = true; };
    steps = ( { age = "7 days"; template = "welcome"; } ); }
"""
ZONES = ["Europe/Oslo", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "UTC"]
START = datetime.datetime(2026, 3, 25, 6, 0, tzinfo=datetime.timezone.utc)  # summer time begins on the 29th
COLUMNS = "email,first_name,stage,stage_since,time_zone"


def people(customer, count):
    rows = []
    for i in range(count):
        since = (START - datetime.timedelta(hours=7 * i)).strftime("%Y-%m-%dT%H:%M:%SZ")
        rows.append((customer(i), f"N{i}", "follow-up" if i % 3 == 0 else "pitching", since, ZONES[i % len(ZONES)]))
    return rows


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class TestForecast:
    def test_it_equals_what_the_daemon_then_sends(self, request, world, postfix, customer):
        # one_way: a daemon with a mailbox waits for it at its start, by the machine's time
        one = Nurture(Folder("nurture-forecast-"), account(server("smtp", postfix.smtp, world.authority.file, extra="connections = 4;")), rules=RULES,
                      days="mon-fri", start="08:00", end="18:00", min_gap="1 day")
        request.addfinalizer(lambda: (one.stop(), one.folder.close()))
        one.run("import", write_csv(one, people(customer, 25), COLUMNS))
        clock = ["--clock", START.strftime("%Y-%m-%dT%H:%M:%SZ")]
        one.start(*clock)  # at its own pace, so that the forecast begins where the daemon does
        one.run("pause")
        one.stop()
        one.start(*clock, "--speed", "0.001")
        one.run("resume")
        wait_for(lambda: not [m for m in one.json("queue") if m["state"] == "queued" and moment(m["due_at"]) <= START], 20)
        forecast = one.json("forecast", "--days", "12")
        one.stop()
        assert len(forecast) >= 25
        one.start("--clock", (START + datetime.timedelta(seconds=60)).strftime("%Y-%m-%dT%H:%M:%SZ"), "--speed", "86400")
        time.sleep(13)
        one.stop()
        sent = {}
        for row in one.json("queue", "list", "--all"):
            if row["state"] == "sent":
                entry = [h for h in one.history(row["contact"], "sent") if h["step"] == row["step"]][0]
                sent[row["contact"], row["rule"], row["step"]] = moment(entry["at"])
        foretold = {(m["contact"], m["rule"], m["step"]): moment(m["at"]) for m in forecast}
        end = START + datetime.timedelta(days=11)
        before = {key for key, at in sent.items() if at <= START + datetime.timedelta(seconds=60)}
        assert {key for key, at in sent.items() if at < end} - before == {key for key, at in foretold.items() if at < end} - before
        off = {key: (at, sent[key]) for key, at in foretold.items() if at < end and key not in before and abs(sent[key] - at) > datetime.timedelta(minutes=1)}
        assert not off, off

    def test_it_stores_and_sends_nothing(self, world, nurture, customer):
        one = nurture(rules=RULES)
        one.run("import", write_csv(one, [(customer(), "K", "pitching", "2026-01-01", "UTC")], COLUMNS))
        before = hashlib.sha256(open(one.folder / "nurture.db", "rb").read()).hexdigest()
        one.run("contact", "stage", customer(), "pitching", "--since", time.strftime("%Y-%m-%d"))
        before = hashlib.sha256(open(one.folder / "nurture.db", "rb").read()).hexdigest()
        forecast = one.json("forecast")
        assert [m["step"] for m in forecast] == ["pitch-1", "pitch-2"] and forecast[0]["subject"] == "What we talked about"
        assert {"at", "contact", "rule", "step", "template", "subject"} <= set(forecast[0])
        assert hashlib.sha256(open(one.folder / "nurture.db", "rb").read()).hexdigest() == before
        assert not one.json("queue", "list", "--all") and not world.dovecot.messages(customer())
        assert "pitch 1" in one.run("forecast").stdout

    def test_limits_and_gaps_count(self, nurture, customer):
        one = nurture(rules=RULES, extra="limits = { per_day = 2; };")
        today = time.strftime("%Y-%m-%d")
        one.run("import", write_csv(one, [(customer(i), "K", "pitching", today, "UTC") for i in range(10)], COLUMNS))
        at = sorted(moment(m["at"]) for m in one.json("forecast", "--days", "20") if m["step"] == "pitch-1")
        assert len(at) == 10
        assert all(at[i + 2] - at[i] >= datetime.timedelta(days=1) for i in range(8))

    def test_another_configuration_is_compared(self, nurture, customer):
        one = nurture(rules=RULES)
        one.run("import", write_csv(one, [(customer(), "K", "pitching", time.strftime("%Y-%m-%d"), "UTC")], COLUMNS))
        text = open(one.config, encoding="utf-8").read()
        new = one.folder.write("new.conf", text.replace('"2 days"', '"3 days"').replace('{ after = "4 days"; template = "pitch-2"; same_thread = true; }', '{ after = "1 day"; template = "pitch-3"; }'), mode=0o600)
        changes = {(c["change"], c["step"]) for c in one.json("forecast", "--config", new)}
        assert changes == {("move", "pitch-1"), ("drop", "pitch-2"), ("add", "pitch-3")}
        assert "add 1, drop 1 and move 1" in one.run("forecast", "--config", new).stdout
        assert one.run("forecast", "--days", "0", check=False).returncode == 2
