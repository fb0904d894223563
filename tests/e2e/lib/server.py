"""One `troupe serve` for the tests of a file, as lib/server.js has it: a free port of 127.0.0.1 and a data folder of
its own. Its log is in what a failed start says."""
import json
import os
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BINARY = os.environ.get("TROUPE_BIN", str(ROOT / "build/release/troupe"))


class Server:
    def __init__(self, config=""):
        self.folder = tempfile.TemporaryDirectory()
        self.where = ["--data", f"{self.folder.name}/data", "--config", f"{self.folder.name}/troupe.toml"]
        Path(f"{self.folder.name}/troupe.toml").write_text(config)
        self.process = None
        self.log = open(f"{self.folder.name}/log", "w+")

    def run(self, *args, said=None):
        """One command to its end; gives what it printed."""
        done = subprocess.run([BINARY, *args, *self.where], input=said, stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout

    def add_client(self, *args):
        return json.loads(self.run("client", "add", "--name", "python", "--json", *args))

    def add_user(self, name, password, *args):
        return self.run("user", "add", name, "--password-stdin", *args, said=password + "\n")

    def start(self, port=0):
        self.process = subprocess.Popen([BINARY, "serve", "--listen", f"127.0.0.1:{port}",
                                         "--set", "oauth.password_time=0s",
                                         "--set", "oauth.password_threads=usual", *self.where],
                                        stdout=subprocess.PIPE, stderr=self.log, text=True)
        for line in self.process.stdout:
            if "listening on http://" in line:
                self.url = line.strip().rsplit("listening on ", 1)[1]
                self.address = self.url.removeprefix("http://")
                return self
        self.log.seek(0)
        raise AssertionError("the server did not start:\n" + self.log.read())

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.stdout.close()
            assert self.process.wait(timeout=20) == 0, "SIGTERM did not end the server well"
        self.log.close()
        self.folder.cleanup()
