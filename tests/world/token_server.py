"""An OAuth2 provider on loopback, over HTTPS: tokens (refresh, device code, authorization code), and the introspection that Dovecot asks.

What it does is set by attributes; every request is kept in `requests` as (path, form).
"""
import base64
import hashlib
import json
import secrets
import ssl
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from . import free_port

CLIENT, SECRET = "nurture-test", "client-secret-9f31c2"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, status, body, headers=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()))
        basic = self.headers.get("Authorization", "")
        if basic.startswith("Basic "):
            form["basic"] = base64.b64decode(basic[6:]).decode()
        path = urllib.parse.urlsplit(self.path).path
        self.server.owner.requests.append((path, form))
        self.answer(*self.server.owner.respond(path, form))

    def do_GET(self):
        parts = urllib.parse.urlsplit(self.path)
        form = dict(urllib.parse.parse_qsl(parts.query))
        self.server.owner.requests.append((parts.path, form))
        self.answer(*self.server.owner.respond(parts.path, form))


class TokenServer:
    def __init__(self, certificate, key):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.port, self.server = free_port(), None
        self.lock = threading.Lock()
        self.refresh, self.access, self.codes = {}, {}, {}  # token -> user; token -> (user, end); code -> challenge
        self.requests, self.secrets = [], [SECRET]  # secrets: all that must never be seen elsewhere
        self.lifetime, self.rotate, self.broken, self.polls, self.introspects = 3600, True, None, [], True

    def url(self, path):
        return f"https://localhost:{self.port}/{path}"

    def start(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.owner, self.server.daemon_threads = self, True
        self.server.socket = self.context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def new_refresh(self, user):
        token = "refresh-" + secrets.token_hex(16)
        self.refresh[token] = user
        self.secrets.append(token)
        return token

    def revoke_all(self):
        with self.lock:
            self.refresh.clear()

    def end_access(self):
        """Every access token is refused from now on, before its time."""
        with self.lock:
            self.access.clear()

    def count(self, path, **fields):
        return sum(1 for seen, form in list(self.requests) if seen == path and all(form.get(k) == v for k, v in fields.items()))

    def grant(self, user, refresh=None):
        token = "access-" + secrets.token_hex(16)
        self.secrets.append(token)
        self.access[token] = (user, time.time() + self.lifetime)
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime}
        if refresh is None or self.rotate:
            self.refresh.pop(refresh, None)
            answer["refresh_token"] = self.new_refresh(user)
        return 200, answer

    def respond(self, path, form):
        with self.lock:
            if path == "/introspect":
                return self.introspect(form.get("token"))
            if self.broken:
                return self.broken
            if form.get("client_id") != CLIENT or (form.get("client_secret") != SECRET and form.get("basic") != f"{CLIENT}:{SECRET}"):
                return 401, {"error": "invalid_client", "error_description": f"I know no {form.get('client_secret')}"}
            if path == "/device":
                device = "device-" + secrets.token_hex(16)
                self.secrets.append(device)
                return 200, {"device_code": device, "user_code": "ABCD-EFGH", "verification_uri": "https://login.example.com/device",
                             "expires_in": 60, "interval": 1}
            return getattr(self, "grant_" + form.get("grant_type", "").rsplit(":", 1)[-1], lambda _: (400, {"error": "unsupported_grant_type"}))(form)

    def introspect(self, token):
        user, end = self.access.get(token, (None, 0))
        if not user or end < time.time():
            return 200, {"active": False}
        return 200, {"active": True, "username": user, "exp": int(end)}

    def grant_refresh_token(self, form):
        token = form.get("refresh_token")
        user = self.refresh.get(token)
        if not user:
            return 400, {"error": "invalid_grant", "error_description": f"Token {token} has been expired or revoked."}
        return self.grant(user, token)

    def grant_device_code(self, form):
        """polls: what is answered, in turn, before it is allowed."""
        if self.polls:
            return 400, {"error": self.polls.pop(0)}
        return self.grant(self.user)

    def grant_authorization_code(self, form):
        challenge, redirect = self.codes.pop(form.get("code"), (None, None))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != challenge or form.get("redirect_uri") != redirect:
            return 400, {"error": "invalid_grant"}
        return self.grant(self.user)

    def allow(self, page):
        """What a person does in a browser at the page that nurture showed: the address that the browser is led to."""
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(page).query))
        assert query["client_id"] == CLIENT and query["response_type"] == "code" and query["code_challenge_method"] == "S256"
        code = "code-" + secrets.token_hex(16)
        self.secrets.append(code)
        self.codes[code] = (query["code_challenge"], query["redirect_uri"])
        return query["redirect_uri"] + "?" + urllib.parse.urlencode({"code": code, "state": query["state"]})
