"""What the oauth bench knows of an authorization server, ours or another: its endpoints by discovery, whole requests as
text, and a person with a browser without script, who signs in by the server's own pages and gets codes."""
import base64
import hashlib
import html
import http.client
import json
import re
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

CALLBACK = "http://127.0.0.1:9/callback"  # nobody listens there: the browser stops before it
VERIFIER = "a-verifier-of-the-bench-that-is-long-enough-to-be-one"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
FORM = "application/x-www-form-urlencoded"


class AuthorizationServer:
    """A running server; `clients` are by what they do: jwt, opaque, web, app, each with client_id and client_secret or none."""

    does = frozenset({"jwt", "opaque", "web", "app"})

    def __init__(self, server, clients, user, discovery_path="/.well-known/openid-configuration"):
        self.server, self.clients, self.user, self.discovery_path = server, clients, user, discovery_path
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        self.discovery = json.loads(self.ask(self.text("GET", discovery_path))[2])

    def path(self, endpoint):
        return urlsplit(self.discovery[endpoint]).path

    def text(self, method, path, client=None, form=None, headers=None):
        """A whole HTTP/1.1 request."""
        form = dict(form or {})
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.server.port}"]
        client = self.clients[client] if client else {}
        if client.get("client_secret"):
            pair = f"{client['client_id']}:{client['client_secret'].replace(' ', '+')}".encode()
            lines.append("Authorization: Basic " + base64.b64encode(pair).decode())
        elif client:
            form["client_id"] = client["client_id"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        body = urlencode(form)
        if method == "POST":
            lines += [f"Content-Type: {FORM}", f"Content-Length: {len(body)}"]
        return "\r\n".join(lines) + "\r\n\r\n" + body

    def ask(self, text):
        """Sends such a request; gives status, headers and body."""
        head, _, body = text.partition("\r\n\r\n")
        first, *fields = head.split("\r\n")
        method, target, _ = first.split(" ")
        answer = self.exchanged(method, target, body or None, dict(line.split(": ", 1) for line in fields))
        return answer.status, answer.headers, answer.read().decode()

    def exchanged(self, *request):
        """Servers close connections that were idle while others were measured: then it goes out on another one."""
        try:
            self.connection.request(*request)
            return self.connection.getresponse()
        except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected):
            self.connection.close()
            self.connection.request(*request)
            return self.connection.getresponse()

    def token_request(self, client, **form):
        return self.text("POST", self.path("token_endpoint"), client, form)

    def granted(self, text):
        status, _, body = self.ask(text)
        if status != 200:
            raise SystemExit(f"bench: {self.server.command[0]} answered {status}: {body}")
        return json.loads(body)

    def authorize_path(self, client, scope):
        query = {"response_type": "code", "client_id": self.clients[client]["client_id"], "redirect_uri": CALLBACK,
                 "scope": scope, "code_challenge": CHALLENGE, "code_challenge_method": "S256", "state": "s"}
        return self.path("authorization_endpoint") + "?" + urlencode(query)

    def redemption(self, client, code):
        return self.token_request(client, grant_type="authorization_code", code=code, redirect_uri=CALLBACK,
                                  code_verifier=VERIFIER)

    def codes(self, client, scope, count):
        """Codes of a person who has signed in once, and agrees where they are asked."""
        person = Person(self)
        path = self.authorize_path(client, scope)
        return [person.code(path) for _ in range(count)]

    @staticmethod
    def code_of(callback):
        return parse_qs(urlsplit(callback).query)["code"][0]

    def log_in_requests(self, client, scope, count):
        """The last step of so many sign-ins, each begun by another browser: name and password are sent."""
        path = self.authorize_path(client, scope)
        return [Person(self).log_in_request(path) for _ in range(count)]


class Person:
    def __init__(self, server):
        self.server = server
        self.cookies = {}

    def headers(self):
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}

    def open(self, path, method="GET", form=None):
        """Follows redirects to the first page or the callback; gives the URL and the page."""
        for _ in range(10):
            headers = self.headers() | ({"Origin": f"http://127.0.0.1:{self.server.server.port}"} if form else {})
            status, fields, page = self.server.ask(self.server.text(method, path, None, form, headers))
            for cookie in fields.get_all("Set-Cookie", []):
                name, _, value = cookie.split(";")[0].partition("=")
                self.cookies[name] = value
                if not value or "1970" in cookie:
                    del self.cookies[name]
            if status not in (302, 303):
                return path, page
            to = urljoin(f"http://127.0.0.1:{self.server.server.port}{path}", fields["Location"])
            if to.startswith(CALLBACK):
                return to, ""
            parts = urlsplit(to)
            path, method, form = parts.path + (f"?{parts.query}" if parts.query else ""), "GET", None
        raise SystemExit("bench: redirected for ever")

    def filled(self, path, page):
        """Where the form of the page goes, and what a person would send."""
        form = re.search(r"<form.*?</form>", page, re.S)
        if not form:
            raise SystemExit(f"bench: no form on {path}:\n{page[:500]}")
        values = {}
        for tag in re.findall(r"<(?:input|button)[^>]*>", form.group()):
            attribute = dict(re.findall(r'(\w+)="([^"]*)"', tag))
            name, kind = attribute.get("name"), attribute.get("type", "text")
            if not name or (attribute.get("value") == "deny"):
                continue
            user, password = self.server.user
            values[name] = {"password": password, "text": user}.get(kind, html.unescape(attribute.get("value", "")))
        action = html.unescape(re.search(r'action="([^"]*)"', form.group()).group(1))
        return urlsplit(urljoin(f"http://host{path}", action)).path, values

    def code(self, path):
        at, page = self.open(path)
        for _ in range(5):
            if at.startswith(CALLBACK):
                return self.server.code_of(at)
            action, values = self.filled(at, page)
            at, page = self.open(action, "POST", values)
        raise SystemExit(f"bench: signing in does not end: {at}\n{page[:500]}")

    def log_in_request(self, path):
        at, page = self.open(path)
        action, values = self.filled(at, page)
        origin = {"Origin": f"http://127.0.0.1:{self.server.server.port}"}
        return self.server.text("POST", action, None, values, self.headers() | origin)
