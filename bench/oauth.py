"""The oauth bench: each case lets Troupe, its floor and, with --peers, servers of others answer the same job in turn. A
peer that does not do a job is left out of it. What is redeemed and renewed was got by signing in at the server's pages."""
import contextlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from authorization import AuthorizationServer
from glewlwyd import Glewlwyd, glewlwyd
from servers import CALIBRATED, LOAD_CORE, Peer, pinned

USER = ("bench", "a password for the bench")
OIDC_CLIENTS = {
    "jwt": {"client_id": "jwt", "client_secret": "a secret of the bench"},
    "opaque": {"client_id": "opaque", "client_secret": "a secret of the bench"},
    "web": {"client_id": "web", "client_secret": "a secret of the web"},
    "app": {"client_id": "app"},
}
CONNECTIONS = 128  # with fewer the disk bounds what is written: thirty-two leave a fifth of the core idle
TOKENS_ISSUED = 1_000_000


def troupe_side(server):
    """Troupe with a user and the four clients of the bench."""
    machine = ("--grant", "client_credentials", "--scope", "bench")
    people = ("--grant", "authorization_code", "--grant", "refresh_token", "--redirect-uri",
              "http://127.0.0.1:9/callback", "--scope", "openid bench", "--id-token-alg", "ES256")
    clients = {
        "jwt": server.add_client(*machine),
        "opaque": server.add_client(*machine, "--access-token-format", "opaque"),
        "web": server.add_client(*people),
        "app": server.add_client(*people, "--public"),
    }
    server.add_user(*USER)
    server.token(clients["app"] | clients["opaque"])  # waits until what was just added is known
    time.sleep(1)
    return AuthorizationServer(server, clients, USER)


class OauthBench:
    def __init__(self, bench, figures_of_load, figure):
        self.bench, self.figures_of_load, self.figure = bench, figures_of_load, figure
        self.folder = tempfile.TemporaryDirectory()

    def run(self):
        with contextlib.ExitStack() as stack:
            floor = stack.enter_context(self.bench.floor("floor_http"))
            ours = stack.enter_context(self.bench.troupe())
            time.sleep(CALIBRATED)
            start = ours.resident_bytes()
            self.servers = {"floor": floor, "troupe": ours}
            self.sides = {"troupe": troupe_side(ours)}
            if self.bench.options.peers:
                peer = stack.enter_context(Peer(Path(__file__).parent / "peers" / "oidc_provider.mjs"))
                self.servers["oidc-provider"] = peer
                self.sides["oidc-provider"] = AuthorizationServer(peer, OIDC_CLIENTS, USER)
                peer = self.servers["glewlwyd"] = stack.enter_context(glewlwyd())
                self.sides["glewlwyd"] = Glewlwyd(peer, USER)
            stack.enter_context(self.folder)
            for case in (self.documents, self.client_credentials, self.introspection, self.refresh, self.codes,
                         self.introspection_beside_logins):
                yield from case()
            yield self.figure("oauth", "resident memory at the start", "MiB", [start / 1024 / 1024], [])
        yield from self.memory()

    def measured(self, case, requests, *arguments, floor="/oauth/introspect"):
        """`requests`: by side, a list of whole requests. The floor is sent one that costs it what it should."""
        text = f"POST {floor} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n"
        files = []
        for side, list_of in requests.items():
            path = Path(self.folder.name) / f"{side}.requests"
            path.write_text("".join(request + "\0" for request in list_of))
            files.append(f"--requests={side},{path}")
        servers = {side: self.servers[side] for side in ("floor", *requests)}
        slices = self.bench.load("http", servers, *files, f"--text={text}", f"--connections={CONNECTIONS}", *arguments)
        slices = self.whole(slices)
        yield from self.figures_of_load("oauth", case, slices)
        for peer in requests.keys() - {"troupe"}:
            rates = {side: [s["units"] / s["wall_ns"] * 1e9 for s in slices if s["side"] == side]
                     for side in ("troupe", peer)}
            yield self.figure("oauth", f"{case}, beside {peer}", "per_s", rates["troupe"], rates[peer])

    @staticmethod
    def whole(slices):
        """Slices in which each side had enough requests left to work for most of the time. A slow side's slice lasts until
        what was in flight is answered, so each side is held against its own."""
        sides = list(dict.fromkeys(s["side"] for s in slices))
        rounds = [slices[i:i + len(sides)] for i in range(0, len(slices), len(sides))]
        longest = {side: max(s["wall_ns"] for s in slices if s["side"] == side) for side in sides}
        kept = [of for of in rounds if all(s["units"] and s["wall_ns"] * 2 > longest[s["side"]] for s in of)]
        return [s for of in kept or rounds[:1] for s in of]

    def of_all(self, make, kind="jwt"):
        """Of each side that has such a client."""
        return {side: make(server) for side, server in self.sides.items() if kind in server.does}

    def documents(self):
        yield from self.measured("discovery", self.of_all(lambda s: [s.text("GET", s.discovery_path)]))
        yield from self.measured("JWKS", self.of_all(lambda s: [s.text("GET", s.path("jwks_uri"))]))

    def client_credentials(self):
        for kind, name in (("jwt", "ES256"), ("opaque", "opaque")):
            requests = self.of_all(lambda s: [s.token_request(kind, grant_type="client_credentials")], kind)
            floor = "/oauth/token" if kind == "jwt" else "/oauth/introspect"
            yield from self.measured(f"client_credentials, {name}", requests, floor=floor)

    def introspection_request(self, server, kind):
        token = server.granted(server.token_request(kind, grant_type="client_credentials"))["access_token"]
        return server.text("POST", server.path("introspection_endpoint"), kind, {"token": token})

    def introspection(self):
        # oidc-provider does not introspect JWTs, so it is asked about one that is opaque in both rows.
        for kind, name in (("jwt", "JWT"), ("opaque", "opaque")):
            yield from self.measured(f"introspection, {name}", self.of_all(lambda s: [self.introspection_request(
                s, "opaque" if s is self.sides.get("oidc-provider") else kind)], kind))

    def refresh(self):
        """A family for each connection, of a public client, whose refresh tokens are good once."""
        def begun(server):
            scope = "bench" if server.server is self.servers["troupe"] else "openid"
            tokens = [server.granted(server.redemption("app", code))["refresh_token"]
                      for code in server.codes("app", scope, CONNECTIONS)]
            return [server.token_request("app", grant_type="refresh_token", refresh_token=token) for token in tokens]
        yield from self.measured("refresh with rotation", self.of_all(begun), "--order=renew", floor="/oauth/token")

    def codes(self):
        def prepared(server):
            count = 400 if self.bench.options.quick else 10_000 if server is self.sides["troupe"] else 2_000
            return [server.redemption("web", code) for code in server.codes("web", "openid", count)]
        slices = (2, 20) if self.bench.options.quick else (20, 50)
        yield from self.measured("code redemption, ES256 ID token", self.of_all(prepared), "--order=once",
                                 f"--slices={slices[0]}", f"--slice-ms={slices[1]}", floor="/oauth/token")

    def introspection_beside_logins(self):
        """Latency while a thousand people a second send their passwords, far more than can be hashed."""
        ours = self.sides["troupe"]
        seconds = 1 if self.bench.options.quick else 8
        requests = {"troupe": [self.introspection_request(ours, "opaque")]}
        logins = Path(self.folder.name) / "logins"
        logins.write_text("".join(text + "\0" for text in ours.log_in_requests("web", "openid", 1000 * seconds)))
        server = self.servers["troupe"]
        command = [str(self.bench.programs / "load"), "http", f"--target=troupe,{server.port},{server.process.pid}",
                   f"--requests=troupe,{logins}", "--order=once", "--rate=1000", "--any-status", "--connections=1000",
                   "--slices=1", f"--slice-ms={seconds * 500}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=pinned(LOAD_CORE)) as load:
            time.sleep(0.5)
            slices = self.introspected(requests, seconds)
            load.communicate()
        if load.returncode != 0:
            sys.exit("bench: the logins failed")
        for name in ("p50", "p99"):
            yield self.figure("oauth", f"introspection beside 1000 logins/s, {name}", "ms",
                              [s[f"{name}_ns"] / 1e6 for s in slices], [])

    def introspected(self, requests, seconds):
        path = Path(self.folder.name) / "troupe.requests"
        path.write_text(requests["troupe"][0] + "\0")
        return self.bench.load("http", {"troupe": self.servers["troupe"]}, f"--requests=troupe,{path}",
                               f"--slices={max(1, seconds * 4 - 4)}", "--slice-ms=200", "--connections=8")

    def memory(self):
        """Resident memory after so many tokens that a client took for itself."""
        count = 20_000 if self.bench.options.quick else TOKENS_ISSUED
        for kind, name in (("opaque", "opaque"), ("jwt", "ES256")):
            with self.bench.troupe() as server:
                text = troupe_side(server).token_request(kind, grant_type="client_credentials")
                issued = 0
                while issued < count:
                    slices = self.bench.load("http", {"troupe": server}, f"--text={text}", "--slices=40",
                                             f"--connections={CONNECTIONS}")
                    issued += sum(s["units"] for s in slices)
                yield self.figure("oauth", f"resident memory after {count} tokens, {name}", "MiB",
                                  [server.resident_bytes() / 1024 / 1024], [])
