"""nurture why: the gate that decides is named, for each of the gates, and what does not hold for who is not enrolled."""
import time

from conftest import days_ago, parse, reply_to, wait_for, write_csv

RULE = '{ name = "r"; anchor = "stage"; when = { stage = "pitching"; }; steps = ( { after = "1 day"; template = "pitch-1"; }, { after = "1 day"; template = "pitch-2"; } ); }'
GATES = ["enrolled", "suppressed", "until", "late", "if", "paused", "hold", "owner", "account", "blind", "canary", "approval", "quiet_after_contact", "trouble", "cooldown", "referral_under_way", "holiday",
         "window", "min_gap", "max_per", "limits"]
MONDAY = "2026-03-02T10:00:00Z"
OTHER = '{ name = "o"; anchor = "customer"; when = { customer = true; tag = "happy"; }; steps = ( { age = "1 day"; template = "referral"; } ); }'


def why(one, person, rule="r"):
    return [entry for entry in one.json("why", person) if entry["rule"] == rule][0]


def enrolled(one, person, step="pitch-1"):
    return wait_for(lambda: (entry := why(one, person))["enrolled"] and entry["step"] == step and entry, 15)


def rule(steps='{ after = "1 day"; template = "pitch-1"; }, { after = "0 days"; template = "pitch-2"; }', keys=""):
    return f'{{ name = "r"; anchor = "stage"; when = {{ stage = "pitching"; }}; steps = ( {steps} ); {keys} }}'


def edit(one, old, new):
    with open(one.config, encoding="utf-8") as config:
        text = config.read()
    assert old in text
    one.folder.write("nurture.conf", text.replace(old, new), mode=0o600)


def begin(one, person, since="2026-02-28", sending="", clock=MONDAY, columns="email,first_name,stage,stage_since,language,owner", owner=""):
    """The daemon on a clock that stands, in Oslo a Monday at eleven, and a person who has been in the stage since then."""
    edit(one, "blind_after =", sending + " blind_after =")
    one.start("--clock", clock, "--speed", "0.001")
    one.run("import", write_csv(one, [(person, "K", "pitching", since, "en", owner)], columns))


def decided_by(one, person, gate, verdict="wait", step="pitch-1"):
    """Waits until why says so, and returns the gate's own entry and the rule's."""
    def found():
        entry = why(one, person)
        return entry["decides"] == gate and entry["step"] == step and entry
    entry = wait_for(found, 15, what=lambda: f"{gate} decides: {why(one, person)}")
    gates = [found for found in entry["gates"] if found["gate"] == gate]
    assert len(gates) == 1 and gates[0]["verdict"] == verdict and gates[0]["reason"]
    assert [found["gate"] for found in entry["gates"]] == GATES or not entry["enrolled"]
    return gates[0], entry


class TestWhy:
    def test_who_is_not_enrolled_is_told_by_the_condition(self, nurture, customer):
        one = nurture(rules=RULE + "," + OTHER)
        one.run("import", write_csv(one, [(customer(), "K", "research", days_ago(4), "en")]))
        assert why(one, customer())["reason"] == 'stage is "research", not "pitching"'
        assert why(one, customer(), "o")["reason"] == "not a customer"
        assert "not enrolled" in one.run("why", customer()).stdout
        one.run("contact", "stage", customer(), "follow-up", "--since", days_ago(1))
        assert why(one, customer(), "o")["reason"] == 'tag "happy" is not set'

    def test_an_open_step_waits_for_its_time_alone(self, nurture, customer):
        one = nurture(rules=RULE).start()
        one.run("import", write_csv(one, [(customer(), "K", "pitching", days_ago(0.5), "en")]))
        enrolled(one, customer())
        one.wait_watching()
        entry = why(one, customer())
        assert entry["decides"] == "" and entry["earliest"] == entry["due_at"] and all(gate["verdict"] == "open" for gate in entry["gates"])

    def test_who_answered_or_is_suppressed_is_told_so(self, nurture, customer):
        one = nurture(rules=RULE).start()
        one.run("import", write_csv(one, [(customer(), "K", "pitching", days_ago(0.5), "en")]))
        enrolled(one, customer())
        one.run("contact", "stage", customer(), "negotiating")
        wait_for(lambda: not why(one, customer())["enrolled"], 10)
        assert why(one, customer())["reason"].startswith("ended: stage-change")

    def test_a_date_that_is_not_known_is_no_day_of_the_year_9999(self, nurture, customer):
        one = nurture(rules='{ name = "r"; anchor = "stage"; when = { stage = "pitching"; }; steps = ( { on = "renewal"; template = "pitch-1"; } ); }').start()
        one.run("import", write_csv(one, [(customer(), "K", "pitching", days_ago(1), "en")]))
        assert enrolled(one, customer())["reason"].startswith('waits for a date in the attribute "renewal"')
        shown = one.run("contact", "show", customer()).stdout + one.run("contact", "show", customer(), "--json").stdout + one.run("why", customer()).stdout
        assert "not known yet" in shown and "9999" not in shown and "never" not in shown and "at once" not in shown


class TestGates:
    """Each of them by what a person does or the configuration says, and mail that comes: the name, the verdict, the reason, the time."""

    def test_enrolled(self, nurture, customer):
        one = nurture(rules=rule())
        begin(one, customer(), since="2026-03-02")
        enrolled(one, customer())
        one.run("contact", "stage", customer(), "negotiating")
        gate, entry = decided_by(one, customer(), "enrolled", "stop", step="")
        assert gate["reason"] == entry["reason"] == "ended: stage-change" and not entry["enrolled"] and entry["earliest"] is None

    def test_suppressed(self, nurture, customer):
        one = nurture(rules=rule())
        begin(one, customer(), since="2026-03-02")
        enrolled(one, customer())
        one.run("suppression", "add", customer())
        gate, entry = decided_by(one, customer(), "suppressed", "stop")
        assert gate["reason"] == "their address is never mailed: manual" and entry["earliest"] is None

    def test_until(self, nurture, customer):
        one = nurture(rules=rule(keys='until = "2026-03-20";'), max_late="0 days")
        begin(one, customer(), since="2026-03-02")
        enrolled(one, customer())
        one.stop()  # from here on the time is the system's, long after the rule's last day
        gate, entry = decided_by(one, customer(), "until", "stop")
        assert "2026-03-20 23:59 (Europe/Oslo)" in gate["reason"] and entry["earliest"] is None

    def test_late(self, nurture, customer):
        one = nurture(rules=rule(), max_late="7 days")
        begin(one, customer(), since="2026-03-02")
        enrolled(one, customer())
        one.stop()
        gate, entry = decided_by(one, customer(), "late", "skip")
        assert "more than max_late (1 week)" in gate["reason"] and entry["earliest"] is None

    def test_what_is_too_late_is_left_out_and_the_history_says_so(self, nurture, customer):
        one = nurture(rules=rule(), max_late="7 days")
        begin(one, customer(), since="2026-02-10")
        gate = wait_for(lambda: one.history(customer(), "skipped"), 10)[0]
        assert gate["step"] == "pitch-1" and gate["detail"].endswith("more than max_late (1 week)")

    def test_if(self, nurture, customer):
        one = nurture(rules=rule(steps='{ after = "1 day"; template = "pitch-1"; if = { tag = "vip"; }; }'))
        begin(one, customer(), since="2026-03-02")
        gate, entry = decided_by(one, customer(), "if", "skip")
        assert 'tag "vip" is not set' in gate["reason"] and entry["earliest"] is None
        one.run("contact", "tag", customer(), "+vip")
        assert why(one, customer())["decides"] == ""

    def test_paused(self, nurture, customer):
        one = nurture(rules=rule())
        begin(one, customer(), since="2026-03-02")
        one.run("contact", "pause", customer(), "--until", "2026-03-05")
        gate, entry = decided_by(one, customer(), "paused")
        assert gate["reason"] == "the contact is paused until 2026-03-05 00:00 (Europe/Oslo)"
        assert entry["earliest"] == "2026-03-04T23:00:00Z"
        one.run("contact", "resume", customer())
        one.run("contact", "pause", customer())
        gate, entry = decided_by(one, customer(), "paused")
        assert gate["reason"] == "the contact is paused until resumed" and entry["earliest"] is None

    def test_hold(self, world, nurture, customer, anna):
        one = nurture(rules=rule(steps='{ after = "1 day"; template = "pitch-1"; }, { after = "1 day"; template = "pitch-2"; }')).start()
        one.wait_watching()
        one.run("import", write_csv(one, [(customer(), "K", "pitching", days_ago(1.5), "en")]))
        mail = parse(wait_for(lambda: world.dovecot.messages(customer()), 20)[0][1])
        back = time.strftime("%d.%m.%Y", time.gmtime(time.time() + 5 * 86400))
        world.dovecot.deliver(anna, reply_to(mail, customer(), anna, f"Jeg er tilbake {back}.", Auto_Submitted="auto-replied"), "")
        gate, entry = decided_by(one, customer(), "hold", step="pitch-2")
        assert back[6:] + "-" + back[3:5] + "-" + back[:2] in gate["reason"] and entry["earliest"] > entry["due_at"]

    def test_owner(self, nurture, customer):
        one = nurture(rules=rule())
        begin(one, customer(), since="2026-03-02", owner="anna")
        enrolled(one, customer())
        edit(one, 'name = "anna"', 'name = "bert"')
        one.run("reload")
        gate, entry = decided_by(one, customer(), "owner")
        assert gate["reason"] == "their owner anna has no account to write from" and entry["earliest"] is None

    def test_account(self, nurture, customer):
        one = nurture(rules=rule())
        begin(one, customer(), since="2026-03-02")
        one.run("pause")
        gate, entry = decided_by(one, customer(), "account")
        assert gate["reason"].startswith("sending is paused") and entry["earliest"] is None
        one.run("resume")
        wait_for(lambda: why(one, customer())["decides"] == "", 10)

    def test_blind(self, nurture, customer):
        one = nurture(rules=rule(), blind_after="1 second")
        edit(one, "imaps://localhost", "imaps://localhost.invalid")
        begin(one, customer())
        wait_for(lambda: one.json("status")[0]["accounts"][0]["sending"] == "blind", 15)
        gate, entry = decided_by(one, customer(), "blind")
        assert "mailbox cannot be read" in gate["reason"] and entry["earliest"] is None

    def test_approval(self, nurture, customer):
        one = nurture(rules=rule(keys="approve = true;"))
        begin(one, customer())
        gate, entry = decided_by(one, customer(), "approval")
        assert "nurture queue approve" in gate["reason"] and entry["state"] == "held"
        message = one.json("queue")[0]
        one.run("queue", "approve", str(message["id"]))
        wait_for(lambda: why(one, customer())["step"] == "pitch-2", 15)

    def test_quiet_after_contact(self, nurture, customer):
        one = nurture(rules=rule())
        begin(one, customer(), since="2026-03-02", sending='quiet_after_contact = "5 days";')
        enrolled(one, customer())
        one.run("log", customer(), "call", "spoke about the price")
        gate, entry = decided_by(one, customer(), "quiet_after_contact")
        assert "2026-03-02 11:00 (Europe/Oslo)" in gate["reason"] and "2026-03-07 11:00 (Europe/Oslo)" in gate["reason"]
        assert entry["earliest"].startswith("2026-03-07T10:00:0")

    def test_holiday(self, nurture, customer):
        one = nurture(rules=rule())
        one.folder.write("holidays.ics", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:1\r\n"
                         "DTSTART;VALUE=DATE:20260302\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
        begin(one, customer(), sending='holidays = [ "holidays.ics" ];')
        gate, entry = decided_by(one, customer(), "holiday")
        assert gate["reason"] == "a holiday; next 2026-03-03 00:00 (Europe/Oslo)" and entry["earliest"] == "2026-03-02T23:00:00Z"

    def test_window(self, nurture, customer):
        one = nurture(rules=rule(), days="mon-fri", start="09:00", end="16:30")
        begin(one, customer(), since="2026-02-26", clock="2026-03-01T10:00:00Z")  # a Sunday; the step was due on Friday
        gate, entry = decided_by(one, customer(), "window")
        assert gate["reason"] == "outside of the sending window; next 2026-03-02 09:00 (Europe/Oslo)" and entry["earliest"] == "2026-03-02T08:00:00Z"

    def test_min_gap(self, nurture, customer):
        one = nurture(rules=rule(), min_gap="2 days")
        begin(one, customer())
        gate, entry = decided_by(one, customer(), "min_gap", step="pitch-2")
        assert "2026-03-02 11:00 (Europe/Oslo)" in gate["reason"] and entry["earliest"].startswith("2026-03-04T10:00:0")

    def test_max_per(self, nurture, customer):
        one = nurture(rules=rule())
        begin(one, customer(), sending="max_per = { week = 1; };")
        gate, entry = decided_by(one, customer(), "max_per", step="pitch-2")
        assert gate["reason"].startswith("1 message within a week already; the next may go on 2026-03-09 11:00")
        assert entry["earliest"].startswith("2026-03-09T10:00:0")

    def test_limits(self, nurture, customer):
        one = nurture(rules=rule(), extra="limits = { per_day = 1; };")
        begin(one, customer())
        gate, entry = decided_by(one, customer(), "limits", step="pitch-2")
        assert gate["reason"].startswith("the account's limits are reached; the next may go on 2026-03-03 11:00")
        assert entry["earliest"].startswith("2026-03-03T10:00:0")
