"""A small SMTP server on loopback (aiosmtpd) for where Postfix cannot run: it takes mail with STARTTLS and a password, and hands
it to Dovecot by LMTP."""
import smtplib
import ssl

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from . import free_port
from .dovecot import PASSWORD


class Delivery:
    """aiosmtpd's handler: unknown() tells addresses that do not exist; delivered(to, bytes) is called for each that does."""

    def __init__(self, dovecot, unknown, delivered):
        self.dovecot, self.unknown, self.delivered = dovecot, unknown, delivered

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.unknown(address):
            return f"550 5.1.1 <{address}>: no such user here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server, session, envelope):
        try:
            with smtplib.LMTP("127.0.0.1", self.dovecot.lmtp) as lmtp:
                lmtp.sendmail(envelope.mail_from or "<>", envelope.rcpt_tos, envelope.content)
        except (OSError, smtplib.SMTPException) as error:
            return f"451 4.3.0 the mail store does not answer: {type(error).__name__}"
        for address in envelope.rcpt_tos:
            self.delivered(address, envelope.content)
        return "250 2.0.0 Ok"


class SmtpServer(Controller):
    def __init__(self, dovecot, certificate, key, unknown=lambda address: False, delivered=lambda address, message: None):
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(certificate, key)
        super().__init__(Delivery(dovecot, unknown, delivered), hostname="127.0.0.1", port=free_port())

    def factory(self):
        def authenticator(server, session, envelope, mechanism, data):
            return AuthResult(success=data.password == PASSWORD.encode())
        return SMTP(self.handler, hostname="mail.example.com", tls_context=self.context, require_starttls=True,
                    authenticator=authenticator, auth_required=True, enable_SMTPUTF8=True)
