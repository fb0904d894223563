"""The servers that the benches measure: each is pinned to one core, found by the line
`listening on` and ended with its `with` block. Everything is on 127.0.0.1."""
import base64
import contextlib
import http.client
import json
import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

SERVER_CORE = 0
LOAD_CORE = 1
CALIBRATED = 4  # seconds after the start: the cost of passwords is found by then, and its 19 MiB are given back


def pinned(core):
    """For preexec_fn: runs a child on one core, where the machine has that many."""
    cores = sorted(os.sched_getaffinity(0))
    return lambda: os.sched_setaffinity(0, {cores[core % len(cores)]})


class Server:
    """A child process that says where it listens."""

    pinned = True

    def __init__(self, command):
        self.command = [str(part) for part in command]

    def __enter__(self):
        begin = time.monotonic()
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=self.log, text=True,
                                        preexec_fn=pinned(SERVER_CORE) if self.pinned else None)
        self.wait_until_it_listens()
        self.start_ms = (time.monotonic() - begin) * 1000
        return self

    def wait_until_it_listens(self):
        for line in self.process.stdout:
            if "listening on http://" in line:
                self.port = int(line.strip().rsplit(":", 1)[1].rstrip("/"))
                return
        raise SystemExit(f"bench: {self.command[0]} did not start:\n{self.last_words()}")

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def last_words(self):
        self.log.seek(0)
        return self.log.read()[-2000:]

    def cpu_seconds(self):
        """Processor time so far, user and system."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024


class Floor(Server):
    def __init__(self, program):
        super().__init__([program])


class Peer(Server):
    """A server of others: a script for the Node that `./dev test` brings, or that is on this machine."""

    def __init__(self, script):
        brought = Path(script).parents[2] / "tests" / "e2e" / "node_modules" / ".bin" / "node"
        super().__init__([brought if brought.exists() else "node", script])


class Daemon(Server):
    """A server of others that does not say when it listens: it is tried until it does."""

    def __init__(self, write_config, command):
        self.folder = tempfile.TemporaryDirectory()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        config = Path(self.folder.name) / "config"
        config.write_text(write_config(self.port, self.folder.name))
        super().__init__([part.format(config=config) for part in command])

    def wait_until_it_listens(self):
        for _ in range(500):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.01)
        raise SystemExit(f"bench: {self.command[0]} did not start:\n{self.last_words()}")

    def __exit__(self, *error):
        super().__exit__(*error)
        self.folder.cleanup()


def nats_server():
    return Daemon(lambda port, folder: f'listen: "127.0.0.1:-1"\n'
                  f'websocket {{ listen: "127.0.0.1:{port}", no_tls: true }}\n', ["nats-server", "-c", "{config}"])


def nchan():
    return Daemon(lambda port, folder: (
        "load_module /usr/lib/nginx/modules/ngx_nchan_module.so;\n"
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/log;\n"
        "events { worker_connections 16000; }\n"
        f"http {{ access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};\n"
        f"uwsgi_temp_path {folder}; scgi_temp_path {folder};\n"
        f"server {{ listen 127.0.0.1:{port};\n"
        "location = /sub { nchan_subscriber websocket; nchan_channel_id $arg_id; }\n"
        "location = /pub { nchan_publisher websocket; nchan_channel_id $arg_id; nchan_message_buffer_length 256; }\n"
        "} }\n"), ["nginx", "-c", "{config}"])


class Troupe(Server):
    """`troupe serve` with a data folder of its own and limits out of the way, on one core unless told otherwise."""

    def __init__(self, program, data=None, cores=1):
        self.program = program
        self.folder = tempfile.TemporaryDirectory()
        self.data = data or self.folder.name
        self.config = Path(self.folder.name) / "bench.toml"
        self.config.write_text(Path(__file__).with_name("bench.toml").read_text())
        super().__init__([program, "serve", "--config", self.config, "--data", self.data, "--listen", "127.0.0.1:0",
                          "--set", f"server.cores={cores}"])
        self.pinned = cores == 1

    def __exit__(self, *error):
        super().__exit__(*error)
        self.folder.cleanup()

    def add_client(self, *arguments):
        command = [self.program, "client", "add", "--config", self.config, "--data", self.data, "--name", "bench",
                   *arguments, "--json"]
        done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(done.stdout)

    def add_user(self, name, password):
        command = [self.program, "user", "add", name, "--password-stdin", "--config", self.config, "--data", self.data]
        subprocess.run([str(part) for part in command], input=password + "\n", stdout=subprocess.PIPE, text=True, check=True)

    def headers(self, client):
        pair = f"{client['client_id']}:{client['client_secret']}".encode()
        return {"Authorization": "Basic " + base64.b64encode(pair).decode(),
                "Content-Type": "application/x-www-form-urlencoded"}

    def token(self, client):
        """An access token by client_credentials; a client just added is known within a second."""
        for _ in range(20):
            tokens = self.tokens(client, 1)
            if tokens:
                return tokens[0]
            time.sleep(0.1)
        raise SystemExit("bench: no token")

    def tokens(self, client, count):
        """So many different ones, or as many as come before a refusal."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        found = []
        for _ in range(count):
            connection.request("POST", "/oauth/token", "grant_type=client_credentials", self.headers(client))
            answer = connection.getresponse()
            body = answer.read().decode()
            if answer.status != 200:
                break
            found.append(json.loads(body)["access_token"])
        return found
