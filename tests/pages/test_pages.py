"""The pages that a person opens: they show what they should, load nothing from elsewhere, and break no policy."""

from __future__ import annotations

import pytest
from tests.processes import Gateway

CONFIG = """
model_list:
  - model_name: secret-model-name
    litellm_params: {model: mock/chat}
general_settings:
  master_key: sk-a-key-that-is-long-enough-for-anything
"""
KEY = "sk-a-key-that-is-long-enough-for-anything"


@pytest.fixture(scope="module")
def gateway():
    with Gateway(config=CONFIG, args=["--host", "127.0.0.1"]) as gateway:
        yield gateway


def test_home_says_what_is_served_and_how_to_call_it(gateway, watched):
    home = watched(gateway.url, "/")
    text = home.page.inner_text("main")
    assert "POST /v1/chat/completions" in text
    assert f"curl {gateway.url}/v1/chat/completions" in text  # its own address, put in by the page
    assert "secret-model-name" not in home.page.content()
    home.assert_quiet()


def test_home_leads_to_the_documentation(gateway, watched):
    home = watched(gateway.url, "/")
    home.page.click("text=Try it in the browser")
    home.page.wait_for_selector("[data-path='/v1/chat/completions']")
    home.assert_quiet()


def test_a_call_can_be_tried_out_in_the_documentation(gateway, watched):
    docs = watched(gateway.url, "/docs")
    page = docs.page
    page.click("text=Authorize")
    page.fill(".auth-container input", KEY)
    page.click(".auth-container button.authorize")
    page.click(".auth-container button.btn-done")
    page.click("[data-path='/v1/models']")
    page.click("text=Try it out")
    page.click("text=Execute")
    page.wait_for_selector(".live-responses-table >> text=secret-model-name")
    docs.assert_quiet()


def test_without_a_key_the_documentation_names_no_model(gateway, watched):
    docs = watched(gateway.url, "/docs")
    docs.page.wait_for_selector("[data-path='/v1/chat/completions']")
    assert "secret-model-name" not in docs.page.content()
