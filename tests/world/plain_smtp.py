"""An SMTP server without STARTTLS, for what no server of today does: prints its port, then each command that it is given."""
import socket

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    connection, _ = listener.accept()
    with connection, connection.makefile("rwb") as stream:
        stream.write(b"220 plain.example ESMTP\r\n")
        stream.flush()
        for line in stream:
            print(line.decode("ascii", "replace").strip(), flush=True)
            command = line[:4].upper()
            stream.write(b"250-plain.example\r\n250 AUTH PLAIN LOGIN\r\n" if command == b"EHLO" else b"221 bye\r\n" if command == b"QUIT" else b"250 ok\r\n")
            stream.flush()
            if command == b"QUIT":
                break
