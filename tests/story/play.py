"""The story is played: nurtured on a fast virtual clock before real Postfix and Dovecot, its customers and their friends reading their
mailboxes and answering as people do, an owner who says yes or no. Nothing here looks into the store: the players know what they read,
wrote and typed, and that is what is true."""
import datetime
import email
import email.message
import email.policy
import email.utils
import heapq
import itertools
import os
import re
import smtplib
import time

import cast
from world import Folder, wait_for
from world.authority import Authority
from world.dovecot import PASSWORD, Dovecot
from world.nurture import Nurture, account, server
from world.postfix import Postfix

START = datetime.datetime(2026, 1, 5, 6, 0, tzinfo=datetime.timezone.utc)
ANNA = "anna@example.com"
STEPS = {"score", "ask", "remind", "intro", "thanks", "reward", "care"}

TEMPLATES = {
    "score": ("How likely would you recommend us, from 0 to 10? A number is enough.", "Hvor sannsynlig er det at du anbefaler oss, fra 0 til 10? Et tall er nok."),
    "ask": ("Whom do you know that we could help? Or let them write to {{referral_address}} themselves.",
            "Hvem kjenner du som vi kan hjelpe? Eller la dem skrive til {{referral_address}} selv."),
    "remind": ("Does a name come to mind?", "Kommer du på et navn?"),
    "intro": ("{{referrer.name}} told me about you.", "{{referrer.name}} fortalte meg om deg."),
    "thanks": ("Thank you for {{friend.name}}!", "Takk for {{friend.name}}!"),
    "reward": ("{{friend.name}} is a customer now: {{reward}} is on its way.", "{{friend.name}} er kunde nå: {{reward}} er på vei."),
    "care": ("How are things?", "Hvordan går det?"),
}

RULES = """
  { name = "ask-score"; anchor = "customer"; when = { customer = true; }; steps = ( { age = "20 days"; kind = "score"; template = "score"; } ); },
  { name = "ask-referral"; purpose = "referral"; anchor = "score"; when = { customer = true; score = { min = 9; }; }; accept = "auto";
    steps = ( { age = "10 days"; template = "ask"; }, { after = "25 days"; template = "remind"; } ); reward = "a cake"; },
  { name = "introduce"; anchor = "referral"; when = { referred = true; }; steps = ( { after = "1 day"; template = "intro"; } ); },
  { name = "say-thanks"; anchor = "thanks"; when = { customer = true; }; steps = ( { after = "1 day"; template = "thanks"; } ); },
  { name = "send-reward"; anchor = "reward"; when = { customer = true; }; steps = ( { after = "2 days"; template = "reward"; } ); },
  { name = "care"; anchor = "customer"; when = { customer = true; }; stop_on = [ "stage-change" ];
    steps = ( { age = "60 days"; template = "care"; }, { age = "120 days"; template = "care-2"; } ); }
"""


def write_templates(folder):
    for name, texts in {**TEMPLATES, "care-2": TEMPLATES["care"]}.items():
        for suffix, text in zip(("", ".nb"), texts):
            folder.write(f"templates/{name}{suffix}.md", f"Subject: [{name.removesuffix('-2')}] Nurture\n\n{text}\n\nAnna\n")
    return folder / "templates"


class World:
    """Servers, the daemon and its clock."""

    def __init__(self, day_s):
        self.folder, self.day_s, self.began, self.stops = Folder("nurture-tale-"), day_s, 0.0, []
        authority = Authority(self.folder.path)
        certificate, key = authority.issue("server")
        self.dovecot = Dovecot(self.folder, certificate, key).start()
        self.stops.append(self.dovecot.stop)
        self.postfix = Postfix(self.folder, self.dovecot, certificate, key, ["example.com", "kunde.example", "venn.example"]).start()
        self.stops.append(self.postfix.stop)
        out = server("smtp", self.postfix.smtp, authority.file, ANNA, PASSWORD, extra="connections = 2;")
        way_in = server("imaps", self.dovecot.imaps, authority.file, ANNA, PASSWORD)
        self.nurture = Nurture(self.folder, account(out, way_in), rules=RULES, templates=write_templates(self.folder), days="mon-fri", start="09:00",
                               end="16:30", min_gap="1 day", max_late="30 days", blind_after="5 days")

    def begin(self):
        self.nurture.start("--clock", START.strftime("%Y-%m-%dT%H:%M:%SZ"), "--speed", str(86400 / self.day_s), wait=False)
        self.began = time.monotonic()
        self.stops.append(self.nurture.stop)
        wait_for(lambda: self.nurture.run("status", check=False).returncode == 0, 30, what=self.nurture.log_text)

    def day(self):
        return (time.monotonic() - self.began) / self.day_s

    def date(self):
        return START + datetime.timedelta(days=self.day())

    def send(self, message, sender, recipients):
        message["Date"], message["Message-ID"] = email.utils.format_datetime(self.date()), email.utils.make_msgid(domain=sender.rpartition("@")[2] or "mx.example")
        with smtplib.SMTP("127.0.0.1", self.postfix.smtp) as smtp:
            smtp.sendmail(sender, recipients, message.as_bytes())

    def new_mails(self):
        """(address, message) of what lies unread in the mailboxes of customers and friends; it is taken away."""
        homes = self.folder / "homes"
        for address in os.listdir(homes):
            if address == ANNA or not os.path.isdir(new := os.path.join(homes, address, "Maildir", "new")):
                continue
            for name in os.listdir(new):
                path = os.path.join(new, name)
                with open(path, "rb") as file:
                    message = email.message_from_binary_file(file, policy=email.policy.default)
                os.unlink(path)
                yield address, message

    def close(self):
        for stop in reversed(self.stops):
            stop()
        self.folder.close()


class Play:
    def __init__(self, world, people, rng, days):
        self.world, self.cast, self.rng, self.days = world, people, rng, days
        self.nurture = world.nurture
        self.events, self.order = [], itertools.count()
        self.by_address = {customer.address: customer for customer in people.customers}
        self.mailed = {}        # address of a friend -> the steps that came
        self.seen_proposals = set()

    # ---- what is to happen ----

    def at(self, day, what, *arguments):
        heapq.heappush(self.events, (day, next(self.order), what, arguments))

    def soon(self, low, high, what, *arguments):
        self.at(self.world.day() + self.rng.uniform(low, high), what, *arguments)

    def tell(self):
        rows = [f"{c.address},{c.name.split(' ')[0]},{c.name.split(' ')[1]},negotiating,{START - datetime.timedelta(days=3):%Y-%m-%dT%H:%M:%SZ},Europe/Oslo,{c.language},anna"
                for c in self.cast.customers]
        people = self.world.folder.write("people.csv", "email,first_name,last_name,stage,stage_since,time_zone,language,owner\n" + "\n".join(rows) + "\n")
        self.nurture.run("import", people)
        self.world.begin()
        for customer in self.cast.customers:
            self.at(1 + customer.joins, self.nurture.run, "contact", "stage", customer.address, "follow-up")
        look = 0.0
        while self.world.day() < self.days:
            self.turn()
            if self.world.day() >= look:
                self.decide_proposals()
                look = self.world.day() + 3
            time.sleep(0.02)
        self.come_to_rest()

    def turn(self):
        for address, message in self.world.new_mails():
            self.read(address, message)
        while self.events and self.events[0][0] <= self.world.day():
            _, _, what, arguments = heapq.heappop(self.events)
            what(*arguments)

    def come_to_rest(self):
        """What was written is read and filed, and what was mailed has come."""
        for _ in range(60):
            self.turn()
            time.sleep(0.05)

    # ---- the owner ----

    def decide_proposals(self):
        for row in self.nurture.json("referral", "list"):
            if row["state"] != "proposed" or row["id"] in self.seen_proposals:
                continue
            self.seen_proposals.add(row["id"])
            found = self.cast.friends.get(row["email"])
            if not found:
                continue  # a telephone number, and whoever should not have been proposed: left for the end, where it shows
            friend = found[1]
            friend.referral = row["id"]
            if friend.fate == "accept":
                self.soon(0.5, 3, self.nurture.run, "referral", "accept", str(row["id"]))
            elif friend.fate == "decline":
                self.soon(0.5, 3, self.nurture.run, "referral", "decline", str(row["id"]))

    # ---- those who read ----

    def read(self, address, message):
        if ANNA not in str(message["From"]):
            return  # a customer's copy to a friend
        step = re.match(r"(?:Re: )?\[(\w+)\]", message["Subject"])[1]
        if address in self.cast.friends:
            self.mailed.setdefault(address, []).append(step)
            if step == "intro":
                self.be_introduced(address, message)
            return
        customer = self.by_address[address]
        customer.mails.append((self.world.day(), step))
        if step == "score":
            self.be_asked_score(customer, message)
        elif step in ("ask", "remind"):
            self.be_asked(customer, message)

    def be_introduced(self, address, message):
        friend = self.cast.friends[address][1]
        if friend.later == "customer":
            self.soon(5, 20, self.nurture.run, "contact", "stage", address, "follow-up")
        elif friend.later == "stop":
            self.soon(1, 3, self.reply, friend, message, "Stopp" if friend.language == "nb" else "Please remove me from your list.")

    def be_asked_score(self, customer, message):
        customer.asked_score += 1
        if customer.absent:
            self.be_absent(customer, message)
        if customer.score == "unclear":
            self.soon(1, 4, self.reply, customer, message, self.rng.choice(cast.UNCLEAR[customer.language]))
        elif customer.score is not None and customer.score != "bounce":
            self.soon(1, 4, self.give_score, customer, message)

    def give_score(self, customer, message):
        self.reply(customer, message, self.rng.choice(cast.SCORES[customer.language][customer.score]))
        customer.scored_at = self.world.day()
        if customer.score <= 6 and self.rng.random() < 0.5:
            self.soon(15, 25, self.release, customer)

    def release(self, customer):
        customer.released_at = self.world.day()
        self.nurture.run("contact", "resume", customer.address)

    def be_absent(self, customer, message):
        subject, text = cast.ABSENCES[customer.language]
        answer = email.message.EmailMessage(policy=email.policy.SMTP)
        answer["From"], answer["To"], answer["Subject"] = customer.address, ANNA, subject + message["Subject"]
        answer["In-Reply-To"], answer["Auto-Submitted"] = message["Message-ID"], "auto-replied"
        answer.set_content(text.format(day=self.world.date() + datetime.timedelta(days=2)))
        self.world.send(answer, "", [ANNA])

    def be_asked(self, customer, message):
        customer.asked += 1
        if customer.answered or not customer.answer:
            return
        customer.answered = True
        words = {key: getattr(customer.friends[0], key) for key in ("name", "address", "phone")} if customer.friends else {}
        if len(customer.friends) == 2:
            words |= {"name2": customer.friends[1].name, "address2": customer.friends[1].address}
        self.soon(1, 6, getattr(self, "answer_" + customer.answer), customer, message, words)

    # ---- answers to the request ----

    def choose(self, customer, texts, **words):
        return self.rng.choice(texts[customer.language]).format(**words)

    def answer_name(self, customer, message, words):
        self.reply(customer, message, self.choose(customer, cast.NAMES, **words))

    def answer_pair(self, customer, message, words):
        self.reply(customer, message, self.choose(customer, cast.PAIRS, **words))

    def answer_phone(self, customer, message, words):
        self.reply(customer, message, self.choose(customer, cast.PHONES, **words))

    def answer_copy(self, customer, message, words):
        friend = customer.friends[0]
        self.reply(customer, message, self.choose(customer, cast.COPIES, first=friend.name.split(" ")[0], **words), copy=friend)

    def answer_card(self, customer, message, words):
        card = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:{1};{0};;;\r\nFN:{0} {1}\r\nEMAIL;TYPE=INTERNET:{2}\r\nEND:VCARD\r\n".format(
            *words["name"].split(" "), words["address"])
        self.reply(customer, message, self.choose(customer, cast.CARDS, **words), card=card)

    def answer_forward(self, customer, message, _words):
        """The friend is shown the mail, and writes to the address in it."""
        friend = customer.friends[0]
        own = re.search(r"[\w.+-]+@example\.com", message.get_body(("plain",)).get_content())
        if not own:  # the reminder does not give it: they write to whom they were told of
            customer.answered = False
            return
        answer = email.message.EmailMessage(policy=email.policy.SMTP)
        answer["From"], answer["To"] = f"{friend.name} <{friend.address}>", own[0]
        answer["Subject"] = "Hei" if friend.language == "nb" else "Hello"
        answer.set_content(self.choose(friend, cast.WRITES, referrer=customer.name, name=friend.name))
        self.world.send(answer, friend.address, [own[0]])

    def answer_refuse(self, customer, message, _words):
        self.reply(customer, message, self.choose(customer, cast.REFUSALS))

    def answer_self(self, customer, message, _words):
        self.reply(customer, message, f"Jeg selv, {customer.address} :)" if customer.language == "nb" else f"Well, me: {customer.address}")

    def answer_known(self, customer, message, _words):
        other = self.rng.choice([other for other in self.cast.customers if other is not customer and other.score != "bounce"])
        self.reply(customer, message, self.choose(customer, cast.NAMES, name=other.name, address=other.address))

    def reply(self, person, message, text, copy=None, card=None):
        answer = email.message.EmailMessage(policy=email.policy.SMTP)
        answer["From"], answer["To"], answer["Subject"] = f"{person.name} <{person.address}>", ANNA, "Re: " + message["Subject"]
        answer["In-Reply-To"] = answer["References"] = message["Message-ID"].strip()
        quoted = "".join(f"> {line}\n" for line in message.get_body(("plain",)).get_content().splitlines())
        line = f"{self.world.date():%d.%m.%Y %H:%M} skrev Anna Berg <{ANNA}>:" if person.language == "nb" else \
            f"On {self.world.date():%a, %d %b %Y at %H:%M}, Anna Berg <{ANNA}> wrote:"
        answer.set_content(f"{text}\n\n{line}\n\n{quoted}")
        if copy:
            answer["Cc"] = f"{copy.name} <{copy.address}>"
        if card:
            answer.add_attachment(card.encode(), "text", "vcard", filename="card.vcf")
        self.world.send(answer, person.address, [ANNA] + ([copy.address] if copy else []))
