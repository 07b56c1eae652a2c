"""The program under test, for the model: its configuration and templates written from the model's data."""
import os
import re
import sys

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path.insert(0, TESTS)

from world.nurture import Nurture, account, server  # noqa: E402

from rules import CUSTOMER_STAGE, STAGES, csv_text, list_text  # noqa: E402

CONFIG = """
store = {{ url = "sqlite://{store}"; }};
templates = "{templates}";
organisation = {{ name = "Berg & Sons"; postal_address = "Storgata 1, Oslo"; domains = [ "example.com" ]; }};
pipeline = {{ stages = {stages}; customer_stage = "{customer_stage}"; }};
{sending}
accounts = (
  {accounts} );
rules = (
{rules}
);
"""
TEMPLATE = "Subject: {{step}} {{email}}\n\nmodel {{step}} {{email}}.\n"  # a task's mail goes to the owner, and names the contact as well
MARK = re.compile(rb"model (\S+) (\S+)\.")


def told_by(mail):
    """(address, step) of a mail's bytes."""
    step, email = MARK.search(mail).groups()
    return email.decode(), step.decode()


class Program(Nurture):
    """accounts: the text of the list in the configuration."""

    def __init__(self, folder, port, accounts=None, connections=64):
        way_out = server("smtp", port, extra=f'tls = "none"; connections = {connections};')
        self.accounts = accounts or ",\n  ".join(account(way_out, name=name, address=f"{name}@example.com") for name in ("anna", "bert"))
        super().__init__(folder, self.accounts, rules="")
        os.makedirs(folder / "templates", exist_ok=True)

    def write(self, rules, sending, name="nurture.conf"):
        """A configuration of these rules; its templates, too. Returns the file."""
        for rule in rules:
            for step in rule.steps:
                self.folder.write(f"templates/{step.name}.md", TEMPLATE)
        return self.folder.write(name, CONFIG.format(
            store=self.folder / "nurture.db", templates=self.folder / "templates", stages=list_text(STAGES), customer_stage=CUSTOMER_STAGE,
            sending=sending.text(self.folder), accounts=self.accounts, rules=",\n".join(rule.text() for rule in rules)), mode=0o600)

    def bring_in(self, contacts):
        self.run("import", self.folder.write("contacts.csv", csv_text(contacts)))
