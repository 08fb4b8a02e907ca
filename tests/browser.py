"""A real browser for the tests of pages: the machine's Chromium, driven by Playwright."""

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium():
    """The path of a Chromium: ``CHROMIUM``, or the first on ``PATH``; without one the test is skipped and says so."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"NOT TESTED: the page in a browser. There is no {', '.join(NAMES)}; name one by CHROMIUM=…")
    return found


class Browser:
    """One Chromium; ``open`` gives pages that remember what they complained of."""

    def __init__(self, browser):
        self.browser = browser

    def open(self, path, **context):
        page = self.browser.new_context(**context).new_page()
        page.set_default_timeout(60_000)
        page.complaints = []
        page.requests = []
        page.on("console", lambda message: page.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("request", lambda request: page.requests.append(request.url))
        page.goto(path.as_uri())
        return page


@pytest.fixture(scope="session")
def browser():
    """The browser, started once."""
    path = find_chromium()
    api = pytest.importorskip("playwright.sync_api", reason="NOT TESTED: the page in a browser; install the dev extra")
    with api.sync_playwright() as playwright:
        # The sandbox needs rights that containers seldom have; the page is our own.
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield Browser(chromium)
        chromium.close()
