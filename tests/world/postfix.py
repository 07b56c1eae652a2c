"""A real Postfix on loopback: submission with STARTTLS or TLS, SASL by Dovecot, delivery to Dovecot by LMTP. Needs root."""
import os
import pwd
import shutil
import subprocess

from . import free_port, is_listening, wait_for

MAIN = """
compatibility_level = 3.6
config_directory = {config}
queue_directory = {queue}
data_directory = {data}
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {log}
maillog_file_prefixes = /tmp, /var, /dev/stdout
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.example.com
mydestination =
local_recipient_maps =
mynetworks = 127.0.0.1/32
alias_maps =
relayhost =
default_transport = error:nothing leaves this world
virtual_mailbox_domains = texthash:{domains}
virtual_mailbox_maps = texthash:{mailboxes}
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
lmtp_destination_recipient_limit = 1
message_size_limit = 52428800
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{sasl}
smtpd_sasl_security_options = noanonymous
smtpd_recipient_restrictions = permit_sasl_authenticated, {open_relay} reject
smtpd_relay_restrictions = permit_sasl_authenticated, {open_relay} reject
smtpd_reject_unlisted_recipient = yes
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_peername_lookup = no
address_verify_map =
"""

MASTER = """
127.0.0.1:{smtp} inet n - n - - smtpd
127.0.0.1:{smtps} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """Takes mail for `domains` from whoever signs in (or from loopback, where open_relay) and hands it to Dovecot. mailboxes: the
    addresses that exist; None: all of the domains'."""

    def __init__(self, folder, dovecot, certificate, key, domains, mailboxes=None, open_relay=True):
        self.folder, self.smtp, self.smtps = folder, free_port(), free_port()
        self.running = False
        config = folder / "postfix"
        os.makedirs(config)
        for name in ("queue", "data"):
            os.makedirs(folder / f"postfix-{name}")
        os.chown(folder / "postfix-data", pwd.getpwnam("postfix").pw_uid, -1)
        names = mailboxes if mailboxes is not None else [f"@{domain}" for domain in domains]
        files = {
            "domains": folder.write("postfix/domains", "".join(f"{domain} ok\n" for domain in domains)),
            "mailboxes": folder.write("postfix/mailboxes", "".join(f"{name} ok\n" for name in names)),
        }
        folder.write("postfix/main.cf", MAIN.format(
            config=config, queue=folder / "postfix-queue", data=folder / "postfix-data", log=folder / "postfix.log",
            lmtp=dovecot.lmtp, sasl=dovecot.sasl, certificate=certificate, key=key,
            open_relay="permit_mynetworks," if open_relay else "", **files))
        folder.write("postfix/master.cf", MASTER.format(smtp=self.smtp, smtps=self.smtps))

    @staticmethod
    def missing():
        """Why Postfix cannot be started here, or None."""
        if os.geteuid() != 0:
            return "Postfix can only be started by root"
        if not shutil.which("postfix", path="/usr/sbin"):
            return "postfix is not installed (make deps-test)"
        return None

    def _run(self, command):
        return subprocess.run(["/usr/sbin/postfix", "-c", self.folder / "postfix", command], check=False,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def start(self):
        result = self._run("start")
        self.running = True
        wait_for(lambda: is_listening(self.smtp) and is_listening(self.smtps),
                 what=lambda: f"Postfix listens: {result.stdout}{result.stderr}")
        return self

    def stop(self):
        if self.running:
            self._run("stop")
            self.running = False
