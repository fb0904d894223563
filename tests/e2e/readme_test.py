"""README.md's first session does what it says, run as it stands there.

Only three things differ from pasting it: the port, the executable and the data folder are the
test's own, so that it can run beside anything else.
"""
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("TROUPE_BIN", str(ROOT / "build/release/troupe"))


def session():
    """The fenced `sh` blocks of README.md, one after the other, as one script."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(), flags=re.M | re.S)
    return "".join(blocks)


class FirstSession(unittest.TestCase):
    def setUp(self):
        self.data = tempfile.mkdtemp(prefix="troupe-readme-")
        self.addCleanup(shutil.rmtree, self.data, ignore_errors=True)
        self.log = open(f"{self.data}/log", "w+")
        self.addCleanup(self.log.close)
        self.server = subprocess.Popen(
            [BINARY, "serve", "--development", "--data", f"{self.data}/data", "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.addCleanup(self.stop)
        for line in self.server.stdout:
            if "listening on http://" in line:
                self.address = line.strip().rsplit("http://", 1)[1]
                return
        self.log.seek(0)
        self.fail("the server did not start:\n" + self.log.read())

    def stop(self):
        self.server.terminate()
        self.assertEqual(self.server.wait(timeout=20), 0, "SIGTERM did not end the server well")
        self.server.stdout.close()

    def run_session(self):
        script = session()
        for theirs, ours in (("127.0.0.1:8080", self.address), ("build/release/troupe", BINARY),
                             ("--data data", f"--data {self.data}/data")):
            self.assertIn(theirs, script)
            script = script.replace(theirs, ours)
        done = subprocess.run(["bash", "-eu"], input=script, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, cwd=ROOT, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def test_it_shows_what_the_page_promises_in_its_order(self):
        said = self.run_session()
        place = 0
        for expected in (
                r'"active": ?true',                                            # the token is live,
                r'"type": ?"welcome"',                                         # opens a WebSocket,
                r'"type": ?"subscription_confirmed".*news\.\*',                # which subscribes,
                r'"type": ?"message".*news\.today.*"text": ?"hello"',          # hears itself,
                r'"type": ?"ack".*"delivered_to": ?1',                         # and is counted;
                r"Connection closed: 4001"):                                   # then it is taken back
            found = re.compile(expected).search(said, place)
            self.assertIsNotNone(found, f"{expected} is not in, or not in this order:\n{said}")
            place = found.end()


if __name__ == "__main__":
    unittest.main()
