"""A real Chromium that can reach the gateway under test and nothing else."""

from __future__ import annotations

import os

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

# Whatever is not on the loopback interface cannot even be looked up.
OFFLINE = ("--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", "--disable-background-networking",
           "--disable-component-update", "--disable-sync", "--no-first-run")  # fmt: skip


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ["CHROMIUM"], args=[*OFFLINE, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        )
        yield browser
        browser.close()


class Watched:
    """A page, and all that it complained of or asked of others."""

    def __init__(self, page: Page, home: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("requestfailed", lambda request: self.complaints.append(f"failed: {request.url}"))
        page.on(
            "request", lambda request: request.url.startswith((home, "data:")) or self.strangers.append(request.url)
        )

    def assert_quiet(self) -> None:
        assert self.complaints == []
        assert self.strangers == []


@pytest.fixture
def watched(chromium: Browser):
    pages = []

    def open_page(home: str, path: str) -> Watched:
        page = chromium.new_page()
        pages.append(page)
        watched = Watched(page, home)
        page.goto(home + path)
        return watched

    yield open_page
    for page in pages:
        page.close()
