"""The code flow with Python's `authlib` and `requests-oauthlib` (Debian packages python3-authlib and
python3-requests-oauthlib), whose user signs in by the forms of the pages."""
import os
import unittest
from urllib.parse import parse_qs, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from authlib.jose import JsonWebKey, jwt
from oauthlib.oauth2 import BackendApplicationClient, InvalidGrantError
from requests_oauthlib import OAuth2Session

from lib.person import Person
from lib.server import Server

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # the server of the tests is on this machine
CALLBACK = "http://127.0.0.1:9/callback"  # nobody listens there
SCOPE = "openid profile email offline_access"
USER, PASSWORD = "pavel", "reads every page twice"


def sign_in(url):
    with Person(USER, PASSWORD) as person:
        return person.sign_in(url, CALLBACK)


class PythonClients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.stop)
        cls.server.add_user(USER, PASSWORD, "--email", "pavel@example.org")
        grants = ["--grant", "authorization_code", "--grant", "refresh_token", "--grant", "client_credentials"]
        cls.client = cls.server.add_client("--redirect-uri", CALLBACK, *grants, "--scope", SCOPE + " notes", "--no-pkce")
        cls.server.start()
        cls.metadata = requests.get(f"{cls.server.url}/.well-known/openid-configuration").json()

    def test_authlib_signs_a_user_in_with_pkce_refreshes_and_revokes(self):
        client = self.enterContext(AuthlibSession(self.client["client_id"], self.client["client_secret"], scope=SCOPE,
                                redirect_uri=CALLBACK, code_challenge_method="S256",
                                token_endpoint=self.metadata["token_endpoint"]))
        verifier = generate_token(48)
        url, state = client.create_authorization_url(self.metadata["authorization_endpoint"], nonce="n-0S6",
                                                     code_verifier=verifier)
        arrived = sign_in(url)
        self.assertEqual(parse_qs(urlsplit(arrived).query)["iss"], [self.server.url])
        token = client.fetch_token(authorization_response=arrived, state=state, code_verifier=verifier)

        keys = JsonWebKey.import_key_set(requests.get(self.metadata["jwks_uri"]).json())
        claims = jwt.decode(token["id_token"], keys, claims_options={
            "iss": {"essential": True, "value": self.server.url},
            "aud": {"essential": True, "value": self.client["client_id"]},
            "nonce": {"essential": True, "value": "n-0S6"}})
        claims.validate()
        self.assertEqual(client.get(self.metadata["userinfo_endpoint"]).json()["sub"], claims["sub"])

        before = token["access_token"]
        after = client.refresh_token(self.metadata["token_endpoint"])
        self.assertNotEqual(after["access_token"], before)
        told = client.introspect_token(self.metadata["introspection_endpoint"], token=after["access_token"]).json()
        self.assertTrue(told["active"])
        client.revoke_token(self.metadata["revocation_endpoint"], token=after["access_token"])
        told = client.introspect_token(self.metadata["introspection_endpoint"], token=after["access_token"]).json()
        self.assertEqual(told, {"active": False})

    def test_requests_oauthlib_signs_a_user_in_and_refreshes(self):
        client = self.enterContext(OAuth2Session(self.client["client_id"], redirect_uri=CALLBACK, scope=SCOPE))
        url, _ = client.authorization_url(self.metadata["authorization_endpoint"])
        arrived = sign_in(url)
        secret = {"client_secret": self.client["client_secret"]}
        token = client.fetch_token(self.metadata["token_endpoint"], authorization_response=arrived, **secret)
        self.assertEqual(client.get(self.metadata["userinfo_endpoint"]).json()["preferred_username"], USER)
        again = client.refresh_token(self.metadata["token_endpoint"], client_id=self.client["client_id"], **secret)
        self.assertNotEqual(again["access_token"], token["access_token"])
        with self.assertRaises(InvalidGrantError):  # the code is spent
            client.fetch_token(self.metadata["token_endpoint"], authorization_response=arrived, **secret)

    def test_requests_oauthlib_gets_a_token_for_an_application(self):
        backend = BackendApplicationClient(self.client["client_id"])
        client = self.enterContext(OAuth2Session(client=backend, scope="notes"))
        token = client.fetch_token(self.metadata["token_endpoint"], client_id=self.client["client_id"],
                                   client_secret=self.client["client_secret"])
        self.assertEqual(token["scope"], ["notes"])


if __name__ == "__main__":
    unittest.main()
