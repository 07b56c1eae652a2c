"""The main job on a real Postfix and a real Dovecot: imported, due, sent, answered, filed, stopped."""
import time

from conftest import days_ago, parse, reply_to, wait_for, write_csv


def inbox(world, address):
    return [message for _, message in world.dovecot.messages(address)]


class TestPostfixAndDovecot:
    def test_each_due_contact_gets_one_right_message_and_nothing_twice(self, world, nurture, customer, anna):
        """200 imported with stage_since in the past; a second import and restarts send nothing twice."""
        one = nurture()
        people = [(customer(i), f"Kari{i}", "pitching", days_ago(4 if i % 2 else 1), "nb" if i % 4 == 1 else "en") for i in range(200)]
        csv = write_csv(one, people)
        assert one.json("import", csv)[0]["added"] == 200
        one.start()
        wait_for(lambda: sum(1 for m in one.json("queue", "list", "--all") if m["state"] == "sent") == 100, 60,
                 what=lambda: one.log_text()[-2000:])
        assert one.json("import", csv)[0] == {"added": 0, "changed": 0, "unchanged": 200, "bad": 0, "dry_run": False}
        assert one.stop() == 0
        one.start()
        time.sleep(1)
        for i in (1, 3, 5, 199, 0, 2, 198):
            mails = inbox(world, customer(i))
            assert len(mails) == i % 2
            if mails:
                mail = parse(mails[0])
                assert mail["To"].addresses[0].addr_spec == customer(i) and mail["From"].addresses[0].addr_spec == anna
                assert f"Kari{i}" in mail.get_body(("plain",)).get_content()
                assert "Storgata 1" in mail.get_body(("plain",)).get_content()
                assert ("Takk for praten" in mail.get_body(("plain",)).get_content()) == (i % 4 == 1)
        sent = [m for m in one.json("queue", "list", "--all") if m["state"] == "sent"]
        assert sorted(m["contact"] for m in sent) == sorted(customer(i) for i in range(1, 200, 2))

    def test_a_reply_is_filed_with_only_its_new_text_and_stops_the_rule(self, world, nurture, customer, anna):
        one = nurture(rules="""{ name = "quick"; anchor = "stage"; when = { stage = "pitching"; };
            steps = ( { after = "0 seconds"; template = "pitch-1"; }, { after = "3 seconds"; template = "pitch-2"; same_thread = true; } ); }""")
        one.run("import", write_csv(one, [(customer(), "Kari", "pitching", days_ago(1), "en"), (customer(1), "Ola", "pitching", days_ago(1), "en")]))
        one.start().wait_watching()
        mail = parse(wait_for(lambda: inbox(world, customer()), 20)[0])
        before = world.dovecot.messages(anna)
        began = time.monotonic()
        world.dovecot.deliver(anna, reply_to(mail, customer(), anna, "Ja takk, ring meg på torsdag.\nKari"))
        reply = wait_for(lambda: one.history(customer(), "reply"), 5)[0]
        assert time.monotonic() - began < 2
        assert reply["text"] == "Ja takk, ring meg på torsdag.\nKari"
        assert reply["rule"] == "quick" and reply["step"] == "pitch-1" and reply["message_id"]
        # the other one gets the second step, in the same thread; who answered gets nothing further
        second = parse(wait_for(lambda: inbox(world, customer(1))[1:], 20)[0])
        assert second["In-Reply-To"] and second["In-Reply-To"] in second["References"] and second["Subject"].startswith("Re: ")
        assert len(inbox(world, customer())) == 1
        shown = one.json("contact", "show", customer())[0]
        assert shown["enrolments"][0]["state"] == "ended" and shown["enrolments"][0]["end_reason"] == "reply"
        # the mailbox is as it was: the reply unread, nothing moved
        after = world.dovecot.messages(anna)
        assert len(after) == len(before) + 1 and all(b"\\Seen" not in flags for flags, _ in after)

    def test_who_asks_to_stop_is_never_mailed_again(self, world, nurture, customer, anna):
        one = nurture()
        one.run("import", write_csv(one, [(customer(), "Lise", "pitching", days_ago(4), "en")]))
        one.start().wait_watching()
        mail = parse(wait_for(lambda: inbox(world, customer()), 20)[0])
        token = mail["List-Unsubscribe"].split("subject=unsubscribe%20")[1].rstrip(">")
        world.dovecot.deliver(anna, f"From: somebody@else.example\r\nTo: {anna}\r\nSubject: unsubscribe {token}\r\nMessage-ID: <u1@else.example>\r\n\r\n".encode())
        wait_for(lambda: one.history(customer(), "unsubscribe"), 10)
        one.run("contact", "stage", customer(), "negotiating", "--since", days_ago(10))
        one.run("contact", "stage", customer(), "pitching", "--since", days_ago(5))
        time.sleep(1)
        assert len(inbox(world, customer())) == 1

    def test_a_forged_stop_from_a_stranger_changes_nothing(self, world, nurture, customer, anna):
        one = nurture()
        one.run("import", write_csv(one, [(customer(), "Per", "pitching", days_ago(4), "en")]))
        one.start().wait_watching()
        wait_for(lambda: inbox(world, customer()), 20)
        for subject, extra in (("unsubscribe u-1-aaaaaaaaaaaaaaaaaaaa", ""), ("hi", "In-Reply-To: <guessed@example.com>\r\n")):
            world.dovecot.deliver(anna, f"From: evil@stranger.example\r\nTo: {anna}\r\nSubject: {subject}\r\n{extra}Message-ID: <f{len(subject)}@x.example>\r\n\r\nstop\r\n".encode())
        wait_for(lambda: one.log_text().count("event=ignored") >= 2, 10)
        assert not one.history(customer(), "unsubscribe", "reply")
        assert one.json("contact", "show", customer())[0]["enrolments"][0]["state"] == "active"

    def test_a_bounce_of_what_was_sent_suppresses_and_a_forged_one_does_not(self, world, nurture, customer, anna):
        one = nurture()
        one.run("import", write_csv(one, [(customer(0), "A", "pitching", days_ago(4), "en"), (customer(1), "B", "pitching", days_ago(4), "en")]))
        one.start().wait_watching()
        mail = parse(wait_for(lambda: inbox(world, customer()), 20)[0])
        wait_for(lambda: inbox(world, customer(1)), 20)
        report = ("From: MAILER-DAEMON@kunde.example\r\nTo: {anna}\r\nSubject: Undelivered\r\nMessage-ID: <{n}@b.example>\r\nMIME-Version: 1.0\r\n"
                  "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nfailed\r\n"
                  "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; b.example\r\n\r\nFinal-Recipient: rfc822; {to}\r\nAction: failed\r\n"
                  "Status: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 unknown\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {id}\r\n\r\n--b--\r\n")
        world.dovecot.deliver(anna, report.format(anna=anna, n="r1", to=customer(), id=mail["Message-ID"].strip()).encode(), sender="")
        world.dovecot.deliver(anna, report.format(anna=anna, n="r2", to=customer(1), id="<never-sent@example.com>").encode(), sender="")
        bounce = wait_for(lambda: one.history(customer(), "bounce"), 10)[0]
        assert "5.1.1" in bounce["detail"]
        wait_for(lambda: "names no message" in one.log_text(), 10)
        assert not one.history(customer(1), "bounce")

    def test_absence_is_filed_and_stops_nothing(self, world, nurture, customer, anna):
        one = nurture()
        one.run("import", write_csv(one, [(customer(), "Ola", "pitching", days_ago(4), "en")]))
        one.start().wait_watching()
        mail = parse(wait_for(lambda: inbox(world, customer()), 20)[0])
        world.dovecot.deliver(anna, reply_to(mail, customer(), anna, "I am on holiday.", Auto_Submitted="auto-replied"))
        wait_for(lambda: one.history(customer(), "auto-reply"), 10)
        assert one.json("contact", "show", customer())[0]["enrolments"][0]["state"] == "active"

    def test_what_came_while_nobody_watched_is_read_once_at_the_next_start(self, world, nurture, customer, anna):
        one = nurture()
        one.run("import", write_csv(one, [(customer(), "Eva", "pitching", days_ago(4), "en")]))
        one.start().wait_watching()
        mail = parse(wait_for(lambda: inbox(world, customer()), 20)[0])
        wait_for(lambda: one.history(customer(), "sent"), 10)
        one.stop()
        answer = reply_to(mail, customer(), anna, "Back again.")
        world.dovecot.deliver(anna, answer)
        world.dovecot.deliver(anna, answer)  # a copy changes nothing
        for _ in range(2):
            one.start().wait_watching()
            wait_for(lambda: one.history(customer(), "reply"), 10)
            one.stop()
        assert len(one.history(customer(), "reply")) == 1

    def test_own_copies_are_no_replies(self, world, nurture, customer, anna):
        one = nurture()
        one.run("import", write_csv(one, [(customer(), "Siv", "pitching", days_ago(4), "en")]))
        one.start().wait_watching()
        mail = wait_for(lambda: inbox(world, customer()), 20)[0]
        world.dovecot.deliver(anna, mail)  # the message itself, as a provider files it
        world.dovecot.deliver(anna, reply_to(parse(mail), anna, anna, "by ourselves"))
        wait_for(lambda: one.log_text().count("written by ourselves") == 2, 10)
        assert not one.history(customer(), "reply")
