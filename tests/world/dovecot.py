"""A real Dovecot on loopback: IMAP (STARTTLS), IMAPS, LMTP for delivery, and SASL for Postfix."""
import grp
import imaplib
import os
import shutil
import smtplib
import ssl
import subprocess

from . import free_port, mail_user, stop_process, wait_for

PASSWORD = "correct-horse"
STARTS = 3

CONFIG = """
base_dir = {run}
state_dir = {run}
log_path = {log}
protocols = imap lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
ssl_min_protocol = TLSv1.2
disable_plaintext_auth = no
auth_mechanisms = {mechanisms}
auth_username_format = %Lu
mail_location = maildir:~/Maildir
mail_plugins =
first_valid_uid = 1
{users}
{passdb}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={homes}/%u allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Sent {{
    auto = create
    special_use = \\Sent
  }}
  mailbox Junk {{
    special_use = \\Junk
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
service auth {{
  inet_listener {{
    port = {sasl}
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


OAUTH = """
introspection_mode = post
introspection_url = {url}
force_introspection = yes
username_attribute = username
active_attribute = active
active_value = true
tls_ca_cert_file = {ca_file}
"""

PASSDB = """
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {file}
}}
"""


class Dovecot:
    """Any address is a mailbox with PASSWORD; mail comes in by LMTP. introspection: (URL, CA file) of a token server."""

    def __init__(self, folder, certificate, key, mechanisms="plain login", introspection=None):
        self.folder, self.certificate, self.key, self.mechanisms, self.passdb = folder, certificate, key, mechanisms, ""
        self.config, self.log = folder / "dovecot.conf", folder / "dovecot.log"
        self.imap = self.imaps = self.lmtp = self.sasl = 0  # known from start() on
        if introspection:
            file = folder.write("dovecot-oauth2.conf.ext", OAUTH.format(url=introspection[0], ca_file=introspection[1]))
            self.passdb = PASSDB.format(file=file)
        self.process = None

    def _write_config(self):
        user = mail_user()
        os.makedirs(self.folder / "homes", exist_ok=True)
        os.chown(self.folder / "homes", user.pw_uid, user.pw_gid)
        users = "" if os.geteuid() == 0 else f"default_internal_user = {user.pw_name}\ndefault_login_user = {user.pw_name}\n" \
            f"default_internal_group = {grp.getgrgid(user.pw_gid).gr_name}"
        self.folder.write("dovecot.conf", CONFIG.format(
            run=self.folder / "run", log=self.log, certificate=self.certificate, key=self.key, users=users,
            mechanisms=self.mechanisms, passdb=self.passdb,
            password=PASSWORD, uid=user.pw_uid, gid=user.pw_gid, homes=self.folder / "homes", imap=self.imap, imaps=self.imaps,
            lmtp=self.lmtp, sasl=self.sasl))

    def start(self):
        """On free ports, which it keeps when it is started again. Somebody else may take a port before Dovecot does: then it ends at
        once, and is started on others."""
        keep, tries = bool(self.imaps), []
        for _ in range(STARTS):
            if not keep:
                self.imap, self.imaps, self.lmtp, self.sasl = (free_port() for _ in range(4))
                self._write_config()
            ended = self._run()
            if not ended:
                return self
            tries.append(ended)
        self.process = None
        raise AssertionError(f"Dovecot ended at its start, {STARTS} times:\n" + "\n".join(tries))

    def _run(self):
        """"" where it came to listen, else what it said at its end. That its ports answer proves nothing: it may be somebody else who does."""
        program = shutil.which("dovecot", path="/usr/sbin:/usr/bin")
        begin = os.path.getsize(self.log) if os.path.exists(self.log) else 0

        def logged():
            if not os.path.exists(self.log):
                return ""
            with open(self.log, encoding="utf-8", errors="replace") as log:
                log.seek(begin)
                return log.read()
        with open(self.folder / "dovecot.err", "w+", encoding="utf-8", errors="replace") as errors:
            self.process = subprocess.Popen([program, "-F", "-c", self.config], stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)
            wait_for(lambda: self.process.poll() is not None or "starting up" in logged(), what=lambda: "Dovecot listens: " + logged())
            if self.process.poll() is None:
                return ""
            errors.seek(0)
            return f"status {self.process.returncode}: {errors.read()}{logged()}"

    def stop(self):
        if self.process:
            stop_process(self.process)
            self.process = None

    def deliver(self, to, message, sender="world@example.org"):
        """Hands the message (bytes) to the mailbox by LMTP, as a mail server would."""
        with smtplib.LMTP("127.0.0.1", self.lmtp) as lmtp:
            lmtp.sendmail(sender, [to], message)

    def login(self, user):
        """An imaplib connection, signed in."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = imaplib.IMAP4_SSL("127.0.0.1", self.imaps, ssl_context=context)
        connection.login(user, PASSWORD)
        return connection

    def messages(self, user, folder="INBOX"):
        """[(flags, bytes)] of the folder, oldest first, without changing it."""
        connection = self.login(user)
        try:
            connection.select(folder, readonly=True)
            _, found = connection.uid("SEARCH", None, "ALL")
            uids = found[0].split()
            if not uids:
                return []
            _, parts = connection.uid("FETCH", b",".join(uids), "(FLAGS BODY.PEEK[])")
            return [(imaplib.ParseFlags(part[0]), part[1]) for part in parts if isinstance(part, tuple)]
        finally:
            connection.logout()
