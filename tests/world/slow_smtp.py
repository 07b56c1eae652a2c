"""An SMTP server on loopback that takes as long as a test wants: with answers held, it accepts everything up to a message's last dot,
and says nothing to that."""
import socket
import threading


class SlowSmtp:
    def __init__(self):
        self.recipients, self.taken = [], []  # told in RCPT; whole messages, answered or not
        self.answer = threading.Event()
        self.answer.set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def hold(self):
        """From now on the last dot is not answered, until release()."""
        self.answer.clear()

    def release(self):
        self.answer.set()

    def close(self):
        self.listener.close()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            with connection, connection.makefile("rwb") as stream:
                self.converse(stream)
        except OSError:
            pass  # the client went away

    def converse(self, stream):
        def say(text):
            stream.write(text + b"\r\n")
            stream.flush()
        say(b"220 slow.example ESMTP")
        for line in stream:
            command = line[:4].upper()
            if command == b"RCPT":
                self.recipients.append(line.split(b"<")[1].split(b">")[0].decode())
            if command == b"DATA":
                say(b"354 go on")
                message = b""
                for part in iter(stream.readline, b".\r\n"):
                    if not part:
                        return
                    message += part
                self.taken.append(message)
                self.answer.wait()
            say(b"221 bye" if command == b"QUIT" else b"250 ok")
