"""browser.py URL: a real browser signs in at Dex, and says where it comes out.

Chromium is driven through its debugging pipe, which needs nothing but Python. It opens URL, types BROWSER_USER and
BROWSER_PASSWORD into Dex's login page, and follows wherever that leads. What comes out is printed as one line of JSON: the
address without its query, the page's text, and with BROWSER_FETCH the text that a fetch of that path brings on that page.

As $BROWSER of `trunkline login` it is started with the address as its only argument. Everything ends within 90 s.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time

LIMIT = 90
# How often a page is tried.
TIMES = 8
CHROMIUM = [
    "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-default-browser-check",
    # Of the test's own roots, which no browser knows. The programs under test check them.
    "--ignore-certificate-errors",
    "--remote-debugging-pipe",
]


class Interrupted(Exception):
    """A page was not loaded, through no fault of anybody's here."""


class Chromium:
    """One page of a browser."""

    def __init__(self, profile):
        down_read, down_write = os.pipe()
        up_read, up_write = os.pipe()

        def as_three_and_four():
            os.dup2(down_read, 3)
            os.dup2(up_write, 4)

        # High numbers first: 3 and 4 may be among the pipes' own.
        down_read, up_write = os.dup2(down_read, 30), os.dup2(up_write, 40)
        self.process = subprocess.Popen(
            [*CHROMIUM, f"--user-data-dir={profile}"], preexec_fn=as_three_and_four, pass_fds=(3, 4, 30, 40),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )
        os.close(down_read)
        os.close(up_write)
        self.down, self.up, self.heard, self.number = down_write, up_read, b"", 0
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if hasattr(self, "session"):
            message["sessionId"] = self.session
        os.write(self.down, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self.heard:
                piece = os.read(self.up, 65536)
                if not piece:
                    raise SystemExit("browser.py: chromium ended")
                self.heard += piece
            answer, self.heard = self.heard.split(b"\0", 1)
            answer = json.loads(answer)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise SystemExit(f"browser.py: {method}: {answer['error']}")
                return answer["result"]

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        # Between two pages there is nothing to ask.
        return result["result"].get("value")

    def until(self, what, expression):
        began = time.monotonic()
        while time.monotonic() - began < LIMIT / 3:
            # Pods come and go on this machine, and with each the network changes, which ends what a browser loads.
            if self.evaluate("location.protocol") == "chrome-error:":
                raise Interrupted(self.evaluate("document.body.innerText"))
            value = self.evaluate(expression)
            if value:
                return value
            time.sleep(0.1)
        page = self.evaluate("location.href + ': ' + document.body.innerText")
        raise SystemExit(f"browser.py: not seen: {what}; the page is {page}")

    def end(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def sign_in(browser, url, user, password):
    browser.call("Page.navigate", url=url)
    browser.until("Dex's login page", "!!document.querySelector('#login')")
    issuer = browser.evaluate("location.origin")
    fill = "document.querySelector('#{}').value = {}"
    browser.evaluate(fill.format("login", json.dumps(user)))
    browser.evaluate(fill.format("password", json.dumps(password)))
    browser.evaluate("document.querySelector('form').submit()")
    left = f"location.origin !== {json.dumps(issuer)} && document.readyState === 'complete'"
    browser.until("a page that is not the issuer's", left)


def fetched(browser, path):
    """What a page is answered; asked again while the network changes under it."""
    fetch = f"fetch({json.dumps(path)}).then(answer => answer.text()).catch(() => null)"
    for _ in range(40):
        text = browser.evaluate(fetch)
        if text is not None:
            return text
        time.sleep(0.25)
    raise SystemExit(f"browser.py: {path} is not fetched")


def main():
    signal.alarm(LIMIT)
    url = sys.argv[1]
    user, password = os.environ["BROWSER_USER"], os.environ["BROWSER_PASSWORD"]
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as profile:
        browser = Chromium(profile)
        try:
            for attempt in range(TIMES):
                try:
                    sign_in(browser, url, user, password)
                    break
                except Interrupted as why:
                    print(f"browser.py: again: {why}", file=sys.stderr, flush=True)
                    if attempt + 1 == TIMES:
                        raise SystemExit("browser.py: pages are not loaded") from why
            seen = {
                "address": browser.evaluate("location.origin + location.pathname"),
                "text": browser.evaluate("document.body ? document.body.innerText : ''"),
            }
            if path := os.environ.get("BROWSER_FETCH"):
                seen["fetched"] = fetched(browser, path)
            seen["scripts_see"] = browser.evaluate("document.cookie")
            print(json.dumps(seen), flush=True)
        finally:
            browser.end()


main()
