"""The names are those of the official client."""

from __future__ import annotations

import inspect
import re

import losant_rest

import guestlist
from guestlist._actions import RESOURCES

# Resources that no other server has.
OURS = {
    "administrator",
    "administrators",
    "administrator_session",
    "administrator_sessions",
    "experience_address_changes",
    "experience_auth",
    "experience_invitation",
    "experience_invitations",
    "experience_key",
    "experience_keys",
    "experience_links",
    "experience_mails",
    "experience_password_resets",
    "experience_sign_in",
    "experience_user_tokens",
}
# What this package adds to an action of the official client.
OWN = {"if_match", "idempotency_key", "timeout"}


def test_every_action_takes_what_the_official_one_takes():
    """The official actions say in their source which keywords they look at."""
    official = losant_rest.Client()
    ours = guestlist.Client()
    assert {name for name in RESOURCES if not hasattr(official, name)} == OURS
    for resource, actions in RESOURCES.items():
        if resource in OURS:
            continue
        for name, spec in actions.items():
            theirs = getattr(getattr(official, resource), name)
            assert callable(getattr(getattr(ours, resource), name))
            source = inspect.getsource(theirs)
            named = set(re.findall(r'if "(\w+)" in kwargs', source))
            path = re.findall(r"{(\w+)}", spec.path)
            mine = {*path, *spec.query, *spec.json, *([spec.body] if spec.body else [])}
            mine |= {"losantdomain", "_actions", "_links", "_embedded"}
            # Ours alone: no other server has cursors, or a search, leaves the members of groups out, or
            # revokes what a token has made.
            mine -= {"cursor", "search", "excludeMembers", "parentId", "withChildren"}
            assert mine == named, f"{resource}.{name}"
            assert f'"{spec.method}", path' in source, f"{resource}.{name}"
            assert f'path = "{spec.path}"' in source, f"{resource}.{name}"


def test_the_client_is_made_in_the_same_way():
    theirs = list(inspect.signature(losant_rest.Client.__init__).parameters)
    assert list(inspect.signature(guestlist.Client.__init__).parameters)[: len(theirs)] == theirs
    request = inspect.signature(losant_rest.Client.request).parameters
    assert list(inspect.signature(guestlist.Client.request).parameters) == list(request)
