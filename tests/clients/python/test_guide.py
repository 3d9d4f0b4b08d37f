"""The login of the guide, as it is printed there."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess

import pytest

GUIDE = pathlib.Path(__file__).resolve().parents[3] / "docs" / "guide" / "sign-in.md"
EMAIL, PASSWORD = "ann@example.com", "correct horse"


def examples(language):
    """What the guide has in this language, in its order."""
    return re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(), re.DOTALL)


@pytest.fixture
def environment(server, world):
    """What a backend is told of the server."""
    world.user(email=EMAIL, password=PASSWORD)
    token = world.token("experienceAuth.*")["token"]
    return {"GUESTLIST": server.url, "APPLICATION": world.app, "TOKEN": token}


def test_curl(environment):
    authenticate, verify = examples("bash")

    def run(script, more=()):
        done = subprocess.run(
            ["bash", "-c", script],
            env={**os.environ, **environment, **dict(more)},
            capture_output=True,
            check=True,
            text=True,
        )
        return json.loads(done.stdout)

    signed_in = run(authenticate)
    assert signed_in["experienceUser"]["email"] == EMAIL
    verified = run(verify, {"USER_TOKEN": signed_in["token"]})
    assert (verified["active"], verified["experienceUser"]["email"]) == (True, EMAIL)
    assert run(verify, {"USER_TOKEN": "none"}) == {"active": False}


def test_flask(environment, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (source,) = examples("python")
    names = {"__name__": "guide"}
    exec(compile(source, str(GUIDE), "exec"), names)
    # As a browser has it, which keeps the cookie.
    browser = names["app"].test_client()
    browser_of = {"base_url": "https://localhost"}
    assert browser.get("/", **browser_of).status_code == 401
    wrong = {"email": EMAIL, "password": "wrong horse"}
    assert browser.post("/login", data=wrong, **browser_of).status_code == 401
    right = {"email": EMAIL, "password": PASSWORD}
    answer = browser.post("/login", data=right, **browser_of)
    assert (answer.status_code, answer.location) == (302, "/")
    cookies = answer.headers.getlist("Set-Cookie")
    assert [cookie.split("=")[0] for cookie in cookies] == ["user", "device"]
    for cookie in cookies:
        assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=Lax"))
    device = browser.get_cookie("device").value
    assert browser.post("/login", data=right, **browser_of).status_code == 302
    assert browser.get_cookie("device").value == device
    assert browser.get("/", **browser_of).text == f"Hello {EMAIL}"
