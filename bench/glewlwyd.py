"""Glewlwyd (Debian's) as a peer of the oauth bench: an OpenID provider in C on SQLite, with its plugin for OpenID Connect,
ES256, refresh tokens that are good once, and one round of its hash for the secrets of clients. Everything is set up by its
own HTTP API, by the administrator that its schema brings."""
import contextlib
import gzip
import http.client
import json
import sqlite3
import subprocess
from pathlib import Path

from authorization import CALLBACK, AuthorizationServer
from servers import Daemon

SCHEMA = "/usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz"
MODULES = "/usr/lib/glewlwyd"
SECRET = "a-secret-of-the-bench"
CLIENTS = {"jwt": {"client_id": "jwt", "client_secret": SECRET}, "web": {"client_id": "web", "client_secret": SECRET},
           "app": {"client_id": "app"}}


def write_config(port, folder):
    """Its configuration, and the database that it names."""
    with contextlib.closing(sqlite3.connect(f"{folder}/database")) as database:
        database.executescript(gzip.open(SCHEMA, "rt").read())
        for table, column in (("g_client_module_instance", "gcmi_parameters"), ("g_user_module_instance", "gumi_parameters")):
            parameters = json.loads(database.execute(f"SELECT {column} FROM {table}").fetchone()[0])
            database.execute(f"UPDATE {table} SET {column} = ?", (json.dumps(parameters | {"pbkdf2-iterations": 1}),))
        database.commit()
    return f"""port={port}
external_url="http://127.0.0.1:{port}"
login_url="login.html"
api_prefix="api"
static_files_path="/usr/share/glewlwyd/webapp/"
log_mode="console"
log_level="ERROR"
cookie_domain="127.0.0.1"
cookie_secure=0
session_key="session"
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="{MODULES}/user"
user_middleware_module_path="{MODULES}/user_middleware"
client_module_path="{MODULES}/client"
user_auth_scheme_module_path="{MODULES}/scheme"
plugin_module_path="{MODULES}/plugin"
hash_algorithm="SHA512"
login_api_enabled=true
database={{ type="sqlite3" path="{folder}/database" }};
"""


def glewlwyd():
    return Daemon(write_config, ["glewlwyd", "--config-file", "{config}"])


class Session:
    """A browser at its API, with its cookies."""

    def __init__(self, server, user, password):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        self.cookies = {}
        self.call("POST", "/api/auth/", {"username": user, "password": password})

    def call(self, method, path, value=None):
        """Gives the answer's headers; a refusal ends the bench."""
        headers = {"Content-Type": "application/json"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self.connection.request(method, path, None if value is None else json.dumps(value), headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        if answer.status not in (200, 302):
            raise SystemExit(f"bench: glewlwyd answered {method} {path} with {answer.status}: {text}")
        for cookie in answer.headers.get_all("Set-Cookie", []):
            name, _, content = cookie.split(";")[0].partition("=")
            self.cookies[name] = content
        return answer.headers


def key_pair():
    """PEM of a private key of P-256 and of its public one."""
    made = subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
                          capture_output=True, text=True, check=True).stdout
    public = subprocess.run(["openssl", "pkey", "-pubout"], input=made, capture_output=True, text=True, check=True).stdout
    return made, public


def set_up(server, user):
    private, public = key_pair()
    enabled = ("allow-non-oidc", "auth-type-code-enabled", "auth-type-client-enabled", "auth-type-refresh-enabled",
               "pkce-allowed", "introspection-revocation-allowed", "introspection-revocation-allow-target-client",
               "refresh-token-rolling", "jwks-show")
    parameters = {"iss": f"http://127.0.0.1:{server.port}", "jwt-type": "ecdsa", "jwt-key-size": "256", "key": private,
                  "cert": public, "access-token-duration": 3600, "refresh-token-duration": 1209600, "code-duration": 600,
                  "refresh-token-one-use": "always", "subject-type": "public", **dict.fromkeys(enabled, True)}
    administrator = Session(server, "admin", "password")
    administrator.call("POST", "/api/mod/plugin/", {"module": "oidc", "name": "oidc", "display_name": "oidc",
                                                    "parameters": parameters, "order_rank": 0, "readonly": False})
    administrator.call("POST", "/api/scope/", {"name": "bench", "display_name": "bench", "password_required": False})
    for name, client in CLIENTS.items():
        confidential = "client_secret" in client
        machine = name == "jwt"
        administrator.call("POST", "/api/client/", {
            "client_id": name, "name": name, "enabled": True, "confidential": confidential, "password": SECRET,
            "authorization_type": ["client_credentials"] if machine else ["code", "refresh_token"],
            "scope": ["bench"] if machine else ["openid", "bench"], "redirect_uri": [CALLBACK],
            "token_endpoint_auth_method": ["client_secret_basic" if confidential else "none"]})
    administrator.call("POST", "/api/user/", {"username": user[0], "name": user[0], "password": user[1], "enabled": True,
                                              "scope": ["openid", "bench"]})


class Glewlwyd(AuthorizationServer):
    """It has no opaque tokens, wants each scope named, and its people sign in by script, so here by its API."""

    does = frozenset({"jwt", "web", "app"})

    def __init__(self, server, user):
        set_up(server, user)
        super().__init__(server, CLIENTS, user, "/api/oidc/.well-known/openid-configuration")

    def token_request(self, client, **form):
        if form.get("grant_type") == "client_credentials":
            form["scope"] = "bench"
        return super().token_request(client, **form)

    def codes(self, client, scope, count):
        person = Session(self.server, *self.user)
        person.call("PUT", f"/api/auth/grant/{client}", {"scope": scope})
        path = self.authorize_path(client, scope) + "&nonce=n&g_continue=1"
        return [self.code_of(person.call("GET", path)["Location"]) for _ in range(count)]
