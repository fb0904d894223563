"""Apache with mod_auth_openidc (Debian packages apache2-bin and libapache2-mod-auth-openidc) lets in whom the server signs
in, knows them by name, and signs them out everywhere."""
import os
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import requests

from lib.person import Person, form_of
from lib.server import Server

USER, PASSWORD = "quentin", "an old door, well kept"

CONFIG = """
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
{user}
PidFile {folder}/pid
ErrorLog {folder}/error.log
{modules}
DocumentRoot {folder}/pages
OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {client_id}
OIDCClientSecret {client_secret}
OIDCRedirectURI {origin}/shop/redirect
OIDCCryptoPassphrase a-passphrase-of-this-test
OIDCScope "openid profile email"
OIDCPKCEMethod S256
OIDCRemoteUserClaim preferred_username
OIDCCacheType file
OIDCCacheDir {folder}
<Directory {folder}/pages>
  Require all granted
</Directory>
<Location /shop>
  AuthType openid-connect
  Require valid-user
  Header set X-Signed-In-As "expr=%{{REMOTE_USER}}"
</Location>
"""
MODULES = ["mpm_event", "authn_core", "authz_core", "authz_user", "headers", "dir", "auth_openidc"]


def free_port():
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return any_port.getsockname()[1]


class Apache(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.stop)
        cls.server.add_user(USER, PASSWORD)
        port = free_port()
        cls.origin = f"http://127.0.0.1:{port}"
        client = cls.server.add_client("--redirect-uri", f"{cls.origin}/shop/redirect", "--logout-uri",
                                       f"{cls.origin}/bye", "--grant", "authorization_code", "--scope",
                                       "openid profile email")
        cls.server.start()

        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        os.chmod(cls.folder, 0o777)  # Apache's workers are another user
        pages = Path(cls.folder, "pages")
        Path(pages, "shop").mkdir(parents=True)
        Path(pages, "shop", "index.html").write_text("welcome to the shop")
        Path(pages, "bye").write_text("until next time")
        modules = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in MODULES)
        user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
        config = Path(cls.folder, "apache.conf")
        config.write_text(CONFIG.format(port=port, user=user, folder=cls.folder, modules=modules, issuer=cls.server.url,
                                        origin=cls.origin, **{name: client[name] for name in ("client_id", "client_secret")}))
        apache = subprocess.Popen(["/usr/sbin/apache2", "-f", str(config), "-DFOREGROUND"])
        cls.addClassCleanup(apache.wait, 20)
        cls.addClassCleanup(apache.terminate)
        cls.wait_for_apache()

    @classmethod
    def wait_for_apache(cls):
        for _ in range(200):
            try:
                return requests.get(f"{cls.origin}/bye")
            except requests.ConnectionError:
                time.sleep(0.05)
        raise AssertionError("Apache did not start:\n" + Path(cls.folder, "error.log").read_text())

    def enter(self, person):
        """Into the shop; gives the page."""
        back = person.sign_in(f"{self.origin}/shop/index.html", f"{self.origin}/shop/redirect")
        return person.browser.get(back)

    def test_a_person_gets_into_the_shop_and_is_known_by_name(self):
        with Person(USER, PASSWORD) as person:
            page = self.enter(person)
            self.assertEqual(page.text, "welcome to the shop")
            self.assertEqual(page.headers["X-Signed-In-As"], USER)

    def test_who_has_not_signed_in_is_sent_to_do_so(self):
        answer = requests.get(f"{self.origin}/shop/index.html", allow_redirects=False)
        self.assertEqual(answer.status_code, 302)
        self.assertTrue(answer.headers["Location"].startswith(f"{self.server.url}/oauth/authorize?"))

    def test_who_signs_out_of_the_shop_is_signed_out_of_the_server(self):
        with Person(USER, PASSWORD) as person:
            self.enter(person)
            page = person.browser.get(f"{self.origin}/shop/redirect", params={"logout": f"{self.origin}/bye"})
            if page.url.startswith(self.server.url):  # it asks first
                target, fields = form_of(page)
                page = person.browser.post(target, fields, headers={"Origin": self.server.url})
            self.assertEqual(page.text, "until next time")
            again = person.browser.get(f"{self.origin}/shop/index.html")
            self.assertIn('name="password"', again.text)


if __name__ == "__main__":
    unittest.main()
