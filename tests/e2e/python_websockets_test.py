"""The native protocol with Python's `websockets` (Debian package python3-websockets)."""
import asyncio
import json
import sys
import unittest
import urllib.request
from base64 import b64encode

import websockets

from lib.server import Server

SCOPE = "topic:>:subscribe topic:>:publish"


class TokenServer(Server):
    """With a client that may do everything, and its tokens."""

    def __init__(self):
        super().__init__("[realtime]\necho = true\n")
        self.client = self.add_client("--grant", "client_credentials", "--scope", SCOPE)
        self.start()

    def token(self):
        pair = f"{self.client['client_id']}:{self.client['client_secret']}".encode()
        request = urllib.request.Request(f"{self.url}/oauth/token", b"grant_type=client_credentials",
                                         {"Authorization": "Basic " + b64encode(pair).decode()})
        return json.load(urllib.request.urlopen(request, timeout=10))["access_token"]


class WebSockets(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = TokenServer()
        cls.addClassCleanup(cls.server.stop)
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
