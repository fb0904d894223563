"""The native protocol with Python's `websockets` (Debian package python3-websockets)."""
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import unittest
import urllib.request
from base64 import b64encode
from pathlib import Path

import websockets

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("TROUPE_BIN", str(ROOT / "build/release/troupe"))
SCOPE = "topic:>:subscribe topic:>:publish"


class Server:
    """`troupe serve` on a free port, with a data folder that goes with it."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.where = ["--data", f"{self.folder.name}/data", "--config", f"{self.folder.name}/troupe.toml"]
        Path(f"{self.folder.name}/troupe.toml").write_text("[realtime]\necho = true\n")
        added = subprocess.run([BINARY, "client", "add", "--name", "python", "--grant", "client_credentials",
                                "--scope", SCOPE, "--json", *self.where], stdout=subprocess.PIPE, check=True)
        self.client = json.loads(added.stdout)
        self.log = open(f"{self.folder.name}/log", "w+")
        self.process = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", *self.where],
                                        stdout=subprocess.PIPE, stderr=self.log, text=True)
        for line in self.process.stdout:
            if "listening on http://" in line:
                self.address = line.strip().rsplit("http://", 1)[1]
                return self
        self.log.seek(0)
        raise AssertionError("the server did not start:\n" + self.log.read())

    def __exit__(self, *error):
        self.process.terminate()
        assert self.process.wait(timeout=20) == 0, "SIGTERM did not end the server well"
        self.folder.cleanup()

    def token(self):
        pair = f"{self.client['client_id']}:{self.client['client_secret']}".encode()
        request = urllib.request.Request(f"http://{self.address}/oauth/token", b"grant_type=client_credentials",
                                         {"Authorization": "Basic " + b64encode(pair).decode()})
        return json.load(urllib.request.urlopen(request, timeout=10))["access_token"]


class WebSockets(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server())
        cls.token = cls.server.token()

    def connect(self, **options):
        headers = {"Authorization": f"Bearer {self.token}"}
        return websockets.connect(f"ws://{self.server.address}/ws", extra_headers=headers, open_timeout=10, **options)

    async def next(self, socket, wanted):
        while True:
            message = json.loads(await asyncio.wait_for(socket.recv(), 5))
            if message["type"] == wanted:
                return message

    async def test_a_publication_reaches_a_subscriber(self):
        async with self.connect() as alice, self.connect() as bob:
            await self.next(alice, "welcome")
            await alice.send(json.dumps({"type": "subscribe", "id": "1", "topics": ["py.room"]}))
            await self.next(alice, "subscription_confirmed")
            await bob.send(json.dumps({"type": "publish", "id": "2", "topic": "py.room", "payload": {"text": "héllo"}}))
            self.assertEqual((await self.next(bob, "ack"))["delivered_to"], 1)
            self.assertEqual((await self.next(alice, "message"))["payload"], {"text": "héllo"})

    async def test_the_subprotocol_is_negotiated(self):
        async with self.connect(subprotocols=["unknown", "troupe.v1"]) as socket:
            self.assertEqual(socket.subprotocol, "troupe.v1")

    async def test_a_ping_of_the_protocol_below_is_answered(self):
        async with self.connect() as socket:
            await asyncio.wait_for(await socket.ping(b"are you there"), 5)

    async def test_a_message_in_fragments_is_one_message(self):
        async with self.connect() as socket:
            await self.next(socket, "welcome")
            await socket.send(['{"type":', '"ping","id":', '"f"}'])
            self.assertEqual((await self.next(socket, "pong"))["id"], "f")

    async def test_closing_is_clean(self):
        async with self.connect() as socket:
            await socket.close(1000, "done")
            self.assertEqual(socket.close_code, 1000)

    async def test_compression_is_negotiated_and_keeps_no_context(self):
        async with self.connect() as socket:
            agreed = socket.response_headers["Sec-WebSocket-Extensions"]
            self.assertEqual(agreed, "permessage-deflate; server_no_context_takeover; client_no_context_takeover")
            await self.next(socket, "welcome")
            await socket.send(json.dumps({"type": "subscribe", "id": "1", "topics": ["py.long"]}))
            await self.next(socket, "subscription_confirmed")
            payload = {"text": "lörem ipsum " * 1000}
            await socket.send(json.dumps({"type": "publish", "id": "2", "topic": "py.long", "payload": payload}))
            self.assertEqual((await self.next(socket, "message"))["payload"], payload)

    async def test_without_compression_it_works_as_well(self):
        async with self.connect(compression=None) as socket:
            await self.next(socket, "welcome")

    async def test_a_bad_token_is_refused_before_the_upgrade(self):
        with self.assertRaises(websockets.InvalidStatusCode) as refused:
            await websockets.connect(f"ws://{self.server.address}/ws", extra_headers={"Authorization": "Bearer x"})
        self.assertEqual(refused.exception.status_code, 401)

    async def test_echo_gives_back_text_and_bytes(self):
        async with websockets.connect(f"ws://{self.server.address}/echo", max_size=None) as socket:
            for message in ("text", b"\x00\xff", "ü" * 100_000, bytes(2_000_000)):
                await socket.send(message)
                self.assertEqual(await asyncio.wait_for(socket.recv(), 10), message)


if __name__ == "__main__":
    unittest.main(verbosity=2 if "-v" in sys.argv else 1)
