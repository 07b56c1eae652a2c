"""What a message looks like when it arrives, through a real Postfix into a real Dovecot: files, images, signature, names, the thread,
and which variant somebody got."""
import collections
import os
import random

import email.policy
import pytest

from conftest import Folder, days_ago, parse, reply_to, wait_for, write_csv

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
MARK = b"GIF89a" + bytes(reversed(range(256))) * 3
OFFER = "Prisliste – Åre & Östersund, våren 2027 (endelig).pdf"

ONCE = """{ name = "offer"; anchor = "stage"; when = { stage = "pitching"; };
    steps = ( { after = "0 seconds"; template = "offer"; } ); }"""
THREAD = """{ name = "thread"; anchor = "stage"; when = { stage = "pitching"; };
    steps = ( { after = "0 seconds"; template = "offer"; }, { after = "1 second"; template = "again"; same_thread = true; },
              { after = "1 second"; template = "last"; same_thread = true; } ); }"""
TEST = """{ name = "test"; anchor = "stage"; when = { stage = "pitching"; };
    steps = ( { after = "0 seconds"; template = "ask";
                variants = ( { template = "ask-a"; weight = 2; }, { template = "ask-b"; weight = 1; } ); },
              { after = "1 second"; template = "again"; same_thread = true; } ); }"""


def inbox(world, address):
    return [parse(message) for _, message in world.dovecot.messages(address)]


def tree(part):
    return [part.get_content_type(), *(tree(inner) for inner in part.iter_parts())] if part.is_multipart() else part.get_content_type()


def write(folder, name, content):
    with open(os.path.join(folder.path, "templates", name), "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())


@pytest.fixture
def letters(nurture):
    """make(rules, extra): a nurtured whose folder of templates is its own."""
    def make(rules, extra="", **options):
        own = Folder("nurture-letters-")
        os.makedirs(os.path.join(own.path, "templates/files"))
        write(own, "files/" + OFFER, random.Random(7).randbytes(400_000))
        write(own, "prices.csv", "vare;pris\nblåbær;12\n" * 3)
        write(own, "logo.png", PNG)
        write(own, "mark.gif", MARK)
        write(own, "_anna.md", "Best wishes\n\n**{{owner.first_name}}** ![mark](mark.gif)\n")
        write(own, "_anna.nb.md", "Hilsen\n\n**{{owner.first_name}}** ![merke](mark.gif)\n")
        write(own, "offer.md", f"Subject: Offer for {{{{first_name}}}}\nFrom-Name: {{{{owner.first_name}}}} from Berg & Søn\n"
              f"Attach: files/{OFFER}\nAttach: prices.csv\n\nHi {{{{first_name}}}},\n\n![Our logo](logo.png)\n\nAs promised.\n")
        write(own, "offer.nb.md", "Subject: Tilbud til {{first_name}}\n\nHei {{first_name}},\n\nsom lovet.\n")
        write(own, "again.md", "Subject: not seen\n\nDid you see it?\n")
        write(own, "last.txt", "Subject: not seen either\n\nA last word.\n")
        write(own, "ask-a.md", "Subject: A question\n\nHi, A?\n")
        write(own, "ask-b.md", "Subject: Two minutes?\nFrom-Name: Anna\n\nHi, B?\n")
        one = nurture(extra, rules=rules, templates=os.path.join(own.path, "templates"), **options)
        made.append(own)
        return one
    made = []
    yield make
    for own in made:
        own.close()


class TestWhatArrives:
    def test_all_parts_arrive_byte_for_byte(self, world, letters, customer, anna):
        one = letters(ONCE, 'signature = "anna"; reply_to = "Salg, Oslo <salg@example.com>";')
        one.run("check")
        one.run("import", write_csv(one, [(customer(), "Kåre", "pitching", days_ago(1), "en"), (customer(1), "Liv", "pitching", days_ago(1), "nb-NO")]))
        one.start()
        raw = wait_for(lambda: [message for _, message in world.dovecot.messages(customer())], 20)[0]
        mail = email.message_from_bytes(raw, policy=email.policy.strict)
        assert tree(mail) == ["multipart/mixed",
                              ["multipart/related", ["multipart/alternative", "text/plain", "text/html"], "image/png", "image/gif"],
                              "application/pdf", "text/csv"]
        assert not any(part.defects for part in mail.walk())
        sender, answers = mail["From"].addresses[0], mail["Reply-To"].addresses[0]
        assert (sender.display_name, sender.addr_spec) == ("Anna from Berg & Søn", anna)
        assert (answers.display_name, answers.addr_spec) == ("Salg, Oslo", "salg@example.com")
        assert mail["Subject"] == "Offer for Kåre"
        files = {part.get_filename(): part for part in mail.walk() if part.get_content_disposition()}
        assert {name: part.get_content_disposition() for name, part in files.items()} == {
            "logo.png": "inline", "mark.gif": "inline", OFFER: "attachment", "prices.csv": "attachment"}
        assert files["logo.png"].get_payload(decode=True) == PNG and files["mark.gif"].get_payload(decode=True) == MARK
        assert files[OFFER].get_payload(decode=True) == random.Random(7).randbytes(400_000)
        assert files["prices.csv"].get_content() == "vare;pris\nblåbær;12\n" * 3
        text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
        assert "Our logo" in text and "Best wishes\n\nAnna mark\n\n----\nBerg & Sons" in text.replace("\r\n", "\n")
        assert "<strong>Anna</strong>" in html
        for name in ("logo.png", "mark.gif"):
            assert f'src="cid:{files[name]["Content-ID"].strip("<>")}"' in html
        # the Norwegian one: its own variant of template and signature, no file but the signature's image
        other = wait_for(lambda: inbox(world, customer(1)), 20)[0]
        assert tree(other) == ["multipart/related", ["multipart/alternative", "text/plain", "text/html"], "image/gif"]
        assert "Hilsen\n\nAnna merke\n" in other.get_body(("plain",)).get_content().replace("\r\n", "\n")
        assert other["From"].addresses[0].display_name == "Anna Berg" and other["Content-Language"] == "nb"
        assert one.history(customer(), "sent")[0]["text"].replace("\r\n", "\n") == text.replace("\r\n", "\n").rstrip("\n") + "\n"

    def test_three_messages_are_one_conversation(self, world, letters, customer, anna):
        """Gmail wants the same subject behind "Re: " and a known id in References; Outlook and Thunderbird go by References and In-Reply-To."""
        one = letters(THREAD)
        one.run("import", write_csv(one, [(customer(), "Kari", "pitching", days_ago(1), "en")]))
        one.start()
        mails = sorted(wait_for(lambda: inbox(world, customer())[2:] and inbox(world, customer()), 30), key=lambda mail: mail["Date"].datetime)
        mails = [next(mail for mail in mails if word in mail.get_body(("plain",)).get_content()) for word in ("As promised", "Did you", "A last")]
        ids = [mail["Message-ID"].strip() for mail in mails]
        assert [mail["Subject"] for mail in mails] == ["Offer for Kari", "Re: Offer for Kari", "Re: Offer for Kari"]
        assert len(set(ids)) == 3 and all(id_.startswith("<") and id_.endswith("@example.com>") for id_ in ids)
        assert mails[0]["In-Reply-To"] is None and mails[0]["References"] is None
        assert mails[1]["In-Reply-To"].strip() == ids[0] and mails[1]["References"].split() == ids[:1]
        assert mails[2]["In-Reply-To"].strip() == ids[1] and mails[2]["References"].split() == ids[:2]
        # a reply to the last one is theirs, and names all
        world.dovecot.deliver(anna, reply_to(mails[2], customer(), anna, "Yes please"))
        one.wait_watching()
        assert wait_for(lambda: one.history(customer(), "reply"), 10)[0]["step"] == "last"

    def test_files_that_are_missing_or_too_large_are_told(self, letters):
        one = letters(ONCE)
        one.run("check")
        with open(one.config, encoding="utf-8") as file:
            text = file.read()
        with open(one.config, "w", encoding="utf-8") as file:
            file.write(text.replace("sending = {", 'sending = { max_attachment = "300 kB";'))
        refused = one.run("check", check=False)
        assert refused.returncode == 1
        assert f'offer.md:3: the file "files/{OFFER}": is larger than 0.3 MB' in refused.stdout + refused.stderr


class TestVariants:
    def test_forecast_queue_why_and_history_agree(self, world, letters, customer, anna):
        one = letters(TEST)
        people = [customer(i) for i in range(24)]
        one.run("import", write_csv(one, [(person, "Kari", "pitching", days_ago(1), "en") for person in people]))
        told = {entry["contact"]: entry["template"] for entry in one.json("forecast", "--days", "2") if entry["step"] == "ask"}
        assert set(told) == set(people) and set(told.values()) == {"ask-a", "ask-b"}
        one.start()
        wait_for(lambda: all(any(message["state"] == "sent" and message["step"] == "again" for message in one.json("queue", "list", "--all")
                                 if message["contact"] == person) for person in people), 60, what=one.log_text)
        queue = {message["contact"]: message["variant"] for message in one.json("queue", "list", "--all") if message["step"] == "ask"}
        assert queue == told
        subjects = {"ask-a": "A question", "ask-b": "Two minutes?"}
        for person in people:
            sent = one.history(person, "sent")
            assert sent[0]["variant"] == told[person] and sent[0]["subject"] == subjects[told[person]]
            assert "variant" not in sent[1] and sent[1]["subject"] == "Re: " + subjects[told[person]]
        shares = collections.Counter(told.values())
        assert shares["ask-a"] > shares["ask-b"]
        # a person's answer says which variant it answers
        first = next(mail for mail in inbox(world, people[0]) if not mail["In-Reply-To"])
        assert first["From"].addresses[0].display_name == ("Anna" if told[people[0]] == "ask-b" else "Anna Berg")
        world.dovecot.deliver(anna, reply_to(first, people[0], anna, "Yes"))
        assert wait_for(lambda: one.history(people[0], "reply"), 10)[0]["variant"] == told[people[0]]
        assert f"test / ask ({told[people[0]]})" in one.run("history", people[0]).stdout

    def test_why_and_preview_tell_it_before(self, letters, customer):
        one = letters(TEST.replace('after = "0 seconds"', 'after = "9 days"'))
        people = [customer(i) for i in range(12)]
        one.run("import", write_csv(one, [(person, "Kari", "pitching", days_ago(1), "en") for person in people]))
        one.start()
        told = {entry["contact"]: entry["template"] for entry in one.json("forecast", "--days", "20") if entry["step"] == "ask"}
        wait_for(lambda: all(entry["enrolled"] for person in people for entry in one.json("why", person)), 20)
        for person in people:
            why = one.json("why", person)[0]
            assert (why["step"], why["variant"]) == ("ask", told[person])
            assert f"next: ask ({told[person]})" in one.run("why", person).stdout
            subject = {"ask-a": "A question", "ask-b": "Two minutes?"}[told[person]]
            assert one.json("preview", "test", person)[0]["subject"] == subject

    def test_preview_names_what_goes_along(self, letters, customer):
        one = letters(ONCE)
        one.run("import", write_csv(one, [(customer(), "Kari", "pitching", days_ago(1), "en")]))
        shown = one.run("preview", "offer", customer(), "--text").stdout
        assert f"\nAttached: {OFFER} (400" in shown and "\nAttached: prices.csv (" in shown
        assert one.json("preview", "offer", customer())[0]["attachments"] == [OFFER, "prices.csv"]
