"""nurtured and nurture as an administrator runs them: a configuration, a folder of templates, a process."""
import json
import os
import subprocess

from . import Folder, stop_process, wait_for

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("NURTURE_BIN", os.path.join(TOP, "build"))

CONFIG = """
store     = {{ url = "sqlite://{store}"; }};
templates = "{templates}";
organisation = {{ name = "Berg & Sons"; postal_address = "Storgata 1, 0155 Oslo, Norway"; domains = [ "example.com" ]; }};
sending = {{
  time_zone = "Europe/Oslo";
  window = {{ days = "{days}"; from = "{start}"; to = "{end}"; }};
  min_gap = "{min_gap}"; max_late = "{max_late}"; blind_after = "{blind_after}";
}};
accounts = ( {accounts} );
rules = ( {rules} );
"""

RULES = """
  { name = "after-pitch"; anchor = "stage"; when = { stage = "pitching"; };
    steps = ( { after = "3 days"; template = "pitch-1"; }, { after = "5 days"; template = "pitch-2"; same_thread = true; } ); },
  { name = "aftercare"; anchor = "customer"; when = { customer = true; };
    steps = ( { age = "7 days"; template = "welcome"; }, { age = "90 days"; template = "check-in"; } ); },
  { name = "ask-referral"; purpose = "referral"; anchor = "customer"; when = { customer = true; tag = "happy"; };
    steps = ( { age = "45 days"; template = "referral"; } ); repeat_every = "6 months"; }
"""


def server(scheme, port, ca_file=None, user=None, password=None, host="localhost", extra=""):
    """The inside of an smtp or imap group."""
    parts = [f'url = "{scheme}://{host}:{port}";']
    if ca_file:
        parts.append(f'ca_file = "{ca_file}";')
    if user:
        parts.append(f'user = "{user}"; password = "{password}";')
    return "{ " + " ".join(parts) + " " + extra + " }"


def account(smtp, imap=None, name="anna", address="Anna Berg <anna@example.com>", extra=""):
    ways = f"imap = {imap};" if imap else "one_way = true;"
    return f'{{ name = "{name}"; from = "{address}"; smtp = {smtp}; {ways} {extra} }}'


class Nurture:
    """One store and configuration. start() runs the daemon; run() a command."""

    def __init__(self, folder, accounts, rules=RULES, templates=os.path.join(TOP, "templates"), days="every day", start="00:00",
                 end="24:00", min_gap="0 seconds", max_late="7 days", blind_after="15 minutes"):
        self.folder = folder if isinstance(folder, Folder) else Folder()
        self.process, self.log = None, self.folder / "nurtured.log"
        self.config = self.folder.write("nurture.conf", CONFIG.format(
            store=self.folder / "nurture.db", templates=templates, accounts=accounts, rules=rules, days=days, start=start, end=end,
            min_gap=min_gap, max_late=max_late, blind_after=blind_after), mode=0o600)

    def run(self, *arguments, check=True, stdin=None):
        """Runs `nurture ARGUMENTS` and returns the CompletedProcess."""
        result = subprocess.run([os.path.join(BIN, "nurture"), "-c", self.config, *arguments], check=False, capture_output=True,
                                text=True, input=stdin, timeout=120)
        if check:
            assert result.returncode == 0, f"nurture {' '.join(arguments)}: {result.returncode}\n{result.stdout}{result.stderr}"
        return result

    def json(self, *arguments, check=True):
        """The objects that a command prints with --json."""
        return [json.loads(line) for line in self.run(*arguments, "--json", check=check).stdout.splitlines() if line]

    def history(self, email, *kinds):
        return [entry for entry in self.json("history", email) if not kinds or entry["kind"] in kinds]

    def start(self, *options, wait=True, environment=None):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([os.path.join(BIN, "nurtured"), "-c", self.config, *options], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, env={**os.environ, **(environment or {})})
        if wait:
            wait_for(lambda: self.process.poll() is not None or self.run("status", check=False).returncode == 0,
                     what=lambda: "nurtured answers: " + self.log_text())
            assert self.process.poll() is None, self.log_text()
        return self

    def wait_watching(self, seconds=20):
        """Until every mailbox is read to its end and watched."""
        def watching():
            accounts = [account for status in self.json("status") for account in status["accounts"]]
            return all(account.get("mailbox", "watching") == "watching" for account in accounts)
        wait_for(watching, seconds, what=lambda: "the mailbox is watched: " + self.log_text())

    def stop(self):
        if not self.process:
            return 0
        status = stop_process(self.process, 15)
        self.process = None
        return status

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()
