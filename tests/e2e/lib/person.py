"""A person with a browser without script: keeps cookies, follows redirects, fills in the forms of the pages."""
import html
import re
from urllib.parse import urljoin

import requests


def form_of(page):
    """Where the form of a page goes, and its fields as they stand."""
    form = re.search(r"<form.*?</form>", page.text, re.S).group()
    fields = {}
    for tag in re.findall(r"<input[^>]*>", form):
        attribute = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if "name" in attribute:
            fields[attribute["name"]] = html.unescape(attribute.get("value", ""))
    action = html.unescape(re.search(r'action="([^"]*)"', form).group(1))
    return urljoin(page.url, action), fields


class Person:
    def __init__(self, name, password):
        self.name, self.password = name, password
        self.browser = requests.Session()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.browser.close()

    def sign_in(self, url, until):
        """Opens the address, signs in and agrees where it is asked to; gives the address, not opened yet, that begins
        with `until`."""
        answer = self.browser.get(url, allow_redirects=False)
        for _ in range(20):
            if answer.is_redirect:
                to = urljoin(answer.url, answer.headers["Location"])
                if to.startswith(until):
                    return to
                answer = self.browser.get(to, allow_redirects=False)
                continue
            values = {"username": self.name, "password": self.password} if 'name="password"' in answer.text else {
                "decision": "allow"}
            target, fields = form_of(answer)
            origin = urljoin(answer.url, "/")[:-1]
            answer = self.browser.post(target, {**fields, **values}, allow_redirects=False, headers={"Origin": origin})
        raise AssertionError(f"did not arrive at {until} but at {answer.status_code} {answer.url}")
