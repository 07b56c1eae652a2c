#!/usr/bin/python3
"""make demo: the main job, seen at work. Real Dovecot and an SMTP server on loopback, the sample rules, contacts over all stages, and
people who answer as people do; nurtured runs on a virtual clock, a day a second. Nothing leaves this machine."""
import datetime
import email
import email.policy
import email.utils
import os
import re
import smtplib
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from world import Folder  # noqa: E402
from world.authority import Authority  # noqa: E402
from world.dovecot import PASSWORD, Dovecot  # noqa: E402
from world.nurture import TOP, Nurture, account, server  # noqa: E402
from world.smtpd import SmtpServer  # noqa: E402

START = datetime.datetime(2026, 1, 5, 7, 0, tzinfo=datetime.timezone.utc)
SPEED = 86400
DAYS = 60
ANNA = "anna@example.com"

CONTACTS = """email,first_name,last_name,company,stage,stage_since,customer_since,time_zone,language,owner,tags,plan
ada@lovelace.example,Ada,Lovelace,Analytical Engines,research,2026-01-02,,Europe/London,en,anna,,
bo@fjord.example,Bo,Fjord,Fjord & Fjell,prospecting,2026-01-02,,Europe/Oslo,nb,anna,,
chen@wei.example,陈,伟,伟业公司,connecting,2026-01-04,,Asia/Shanghai,en,anna,,
dina@dal.example,Dina,Dal,Dal Bakeri,qualifying,2026-01-03,,Europe/Oslo,nb,anna,,
kari@nordmann.example,Kari,Nordmann,Nordmann AS,pitching,2026-01-04,,Europe/Oslo,nb,anna,,gold
ola@hansen.example,Ola,Hansen,Hansen Bygg,pitching,2026-01-04,,Europe/Oslo,nb,anna,,
per@gone.example,Per,Gone,Gone Ltd,pitching,2026-01-04,,Europe/Oslo,en,anna,,
lise@nei.example,Lise,Nei,Nei takk AS,objections,2025-12-30,,Europe/Oslo,nb,anna,,
maria@sol.example,María,Sol,Sol y Mar,negotiating,2025-12-31,,Europe/Madrid,en,anna,,
jon@glad.example,Jon,Glad,Glad Kafé,follow-up,2026-01-02,2026-01-02,Europe/Oslo,nb,anna,happy,silver
erik@eldre.example,Erik,Eldre,Eldre Foto,follow-up,2024-03-01,2024-03-01,Europe/Oslo,nb,anna,,
"""


class Customers:
    """Plays everybody who gets mail: what they do is told by their address."""

    def __init__(self, dovecot):
        self.dovecot = dovecot
        self.timers = []

    def on_mail(self, address, content):
        play = {"kari@nordmann.example": self.answer, "ola@hansen.example": self.be_away, "per@gone.example": self.bounce,
                "lise@nei.example": self.ask_to_stop, "jon@glad.example": self.recommend}.get(address)
        if play:
            timer = threading.Timer(0.5, play, [address, email.message_from_bytes(content, policy=email.policy.default)])
            timer.daemon = True
            timer.start()

    def send(self, sender, to, headers, body, envelope=None):
        message = email.message.EmailMessage(policy=email.policy.SMTP)
        for name, value in headers.items():
            message[name] = value
        message["From"], message["To"] = sender, to
        message["Date"], message["Message-ID"] = email.utils.localtime(), email.utils.make_msgid(domain=sender.split("@")[1].rstrip(">"))
        message.set_content(body)
        with smtplib.LMTP("127.0.0.1", self.dovecot.lmtp) as lmtp:
            lmtp.sendmail(sender if envelope is None else envelope, [to], message.as_bytes())

    @staticmethod
    def quoted(mail):
        text = mail.get_body(("plain",)).get_content()
        return f"man. 5. jan. 2026 kl. 09:00 skrev Anna Berg <{ANNA}>:\n\n" + "".join(f"> {line}\n" for line in text.splitlines())

    def reply(self, address, mail, body, extra=None):
        self.send(address, ANNA, {"Subject": "Re: " + mail["Subject"], "In-Reply-To": mail["Message-ID"],
                                  "References": mail["Message-ID"], **(extra or {})}, body + "\n" + self.quoted(mail))

    def answer(self, address, mail):
        self.reply(address, mail, "Hei Anna,\n\ntakk for påminnelsen! Forslaget ser bra ut, kan du ringe meg på torsdag?\n\nKari\n")

    def recommend(self, address, mail):
        if "noen vi kan hjelpe" in mail["Subject"]:
            self.reply(address, mail, "Hei! Snakk med Nina på Fjellheim, nina@fjellheim.example. Hilsen Jon\n")

    def ask_to_stop(self, address, mail):
        self.reply(address, mail, "Stopp\n")

    def be_away(self, address, mail):
        self.send(address, ANNA, {"Subject": "Automatisk svar: " + mail["Subject"], "In-Reply-To": mail["Message-ID"],
                                  "Auto-Submitted": "auto-replied"},
                  "Jeg er på ferie og er tilbake 26. januar 2026.\n", envelope="<>")

    def bounce(self, address, mail):
        boundary = "bounce-of-the-demonstration"
        lines = [
            "From: Mail Delivery System <MAILER-DAEMON@mail.gone.example>", f"To: {ANNA}", "Subject: Undelivered Mail Returned to Sender",
            f"Date: {email.utils.formatdate()}", f"Message-ID: {email.utils.make_msgid(domain='mail.gone.example')}", "Auto-Submitted: auto-replied", "MIME-Version: 1.0",
            f"Content-Type: multipart/report; report-type=delivery-status; boundary=\"{boundary}\"", "",
            f"--{boundary}", "Content-Type: text/plain", "", f"<{address}>: host mail.gone.example said: 550 5.1.1 User unknown", "",
            f"--{boundary}", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mail.gone.example", "",
            f"Final-Recipient: rfc822; {address}", "Action: failed", "Status: 5.1.1",
            "Diagnostic-Code: smtp; 550 5.1.1 User unknown", "",
            f"--{boundary}", "Content-Type: text/rfc822-headers", "", f"From: {mail['From']}", f"To: {address}",
            f"Subject: {mail['Subject']}", f"Message-ID: {mail['Message-ID']}", "", f"--{boundary}--", ""]
        with smtplib.LMTP("127.0.0.1", self.dovecot.lmtp) as lmtp:
            lmtp.sendmail("<>", [ANNA], "\r\n".join(lines).encode())


def make_nurture(folder, smtp, dovecot, ca_file):
    way_out = server("smtp", smtp.port, ca_file, ANNA, PASSWORD)
    way_in = server("imaps", dovecot.imaps, ca_file, ANNA, PASSWORD)
    nurture = Nurture(folder, account(way_out, way_in), rules="", days="mon-fri", start="09:00", end="16:30", min_gap="2 days")
    with open(os.path.join(TOP, "conf", "rules.conf"), encoding="utf-8") as rules:
        folder.write("rules.conf", rules.read())
    with open(nurture.config, encoding="utf-8") as file:
        text = file.read().replace("rules = (  );", '@include "rules.conf"')
    folder.write("nurture.conf", text, mode=0o600)
    return nurture


WORDS = {
    "sent": "mail to {contact}: {step}", "reply": "{contact} answered, so {rule} ends", "auto-reply": "{contact} is away: {detail}",
    "bounce": "mail to {contact} came back: {detail}", "unsubscribe": "{contact} asks to stop, and is never mailed again",
    "skipped": "{step} to {contact} is left out: {reason}", "failed": "mail to {contact} failed: {reason}",
    "enrolled": "{contact} enters {rule}", "mailbox-watched": "the mailbox of {account} is watched",
    "uncertain": "mail to {contact} is uncertain: {reason}",
}


def fields_of(line):
    found = re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)', line)
    return {key: value[1:-1].replace('\\"', '"') if value.startswith('"') else value for key, value in found}


def tell(nurture, began, position):
    """Prints what the log says since position; returns the new one."""
    with open(nurture.log, encoding="utf-8", errors="replace") as log:
        log.seek(position)
        lines = log.read()
        position = log.tell()
    now = START + datetime.timedelta(seconds=(time.monotonic() - began) * SPEED)
    for line in lines.splitlines():
        fields = fields_of(line)
        words = WORDS.get(fields.get("event"))
        if words:
            text = re.sub(r"\{(\w+)\}", lambda match: fields.get(match.group(1), ""), words).rstrip(": ")
            print(f"  {now:%a %d %b}  {text}", flush=True)
    return position


def main():
    folder = Folder("nurture-demo-")
    stop = [folder.close]
    try:
        authority = Authority(folder.path)
        certificate, key = authority.issue("server")
        dovecot = Dovecot(folder, certificate, key).start()
        stop.append(dovecot.stop)
        customers = Customers(dovecot)
        smtp = SmtpServer(dovecot, certificate, key, lambda address: address == "maria@sol.example", customers.on_mail)
        smtp.start()
        stop.append(smtp.stop)
        nurture = make_nurture(folder, smtp, dovecot, authority.file)
        contacts = folder.write("contacts.csv", CONTACTS)
        print("Nurture, on a virtual clock: a day a second, from Monday 5 January 2026. Nothing leaves this machine.\n")
        print(nurture.run("check").stdout + nurture.run("import", contacts).stdout)
        began = time.monotonic()
        nurture.start("--clock", START.strftime("%Y-%m-%dT%H:%M:%SZ"), "--speed", str(SPEED))
        stop.append(nurture.stop)
        position = 0
        while time.monotonic() - began < DAYS:
            position = tell(nurture, began, position)
            time.sleep(0.2)
        tell(nurture, began, position)
        print("\nWhat stands in the histories after", DAYS, "days:\n")
        for line in CONTACTS.splitlines()[1:]:
            address = line.split(",")[0]
            print(f"--- {address}\n{nurture.run('history', address).stdout}")
        print(nurture.run("queue").stdout)
        return 0
    finally:
        for end in reversed(stop):
            end()


if __name__ == "__main__":
    sys.exit(main())
