"""An SMTP server on loopback that takes everything at once, keeps it, and answers the last dot of chosen messages only when it is told to:
a virtual clock stands while a message is on its way, so that whoever holds an answer back holds the time."""
import socket
import threading


class Sink:
    """mails: [(recipients, bytes)] in the order in which they came. holds(recipients, bytes) tells whose answer is held back."""

    def __init__(self, holds=lambda recipients, mail: False):
        self.mails, self.held, self.holds = [], threading.Semaphore(0), holds
        self.answer = threading.Semaphore(0)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def wait_held(self, seconds=30, what=lambda: ""):
        """Until an answer is held back."""
        assert self.held.acquire(timeout=seconds), f"no message to hold within {seconds} s: {what()}"

    def release(self):
        """Gives one answer that is held back, or the next one that would be."""
        self.answer.release()

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with connection, connection.makefile("rb") as lines:
                self._converse(connection, lines)
        except OSError:
            pass  # the client went away

    def _converse(self, connection, lines):
        connection.sendall(b"220 sink.example ESMTP\r\n")
        recipients = []
        for line in lines:
            command = line[:4].upper()
            if command == b"RCPT":
                recipients.append(line.split(b"<")[1].split(b">")[0].decode())
            if command == b"DATA":
                connection.sendall(b"354 go on\r\n")
                mail = b"".join(iter(lines.readline, b".\r\n"))
                self._take(recipients, mail)
                recipients = []
            connection.sendall(b"221 bye\r\n" if command == b"QUIT" else b"250 ok\r\n")

    def _take(self, recipients, mail):
        if self.holds(recipients, mail):
            self.held.release()
            self.answer.acquire()
        else:
            self.mails.append((recipients, mail))
