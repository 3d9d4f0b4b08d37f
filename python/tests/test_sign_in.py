"""Users sign in, and their tokens end."""

from __future__ import annotations

import pytest

import guestlist

PASSWORD = "correct horse battery"


def test_users_sign_in_and_their_tokens_end(guestlist_server, guestlist_client):
    app = {"applicationId": guestlist_server.application_id}
    ann = {"email": "ann@example.com", "password": PASSWORD}
    ann = guestlist_client.experience_users.post(**app, experienceUser=ann)
    user = {**app, "experienceUserId": ann["id"]}
    credentials = {
        "mode": "emailPassword",
        "email": "ann@example.com",
        "password": PASSWORD,
        "maxAge": 60_000,
        "client": {"address": "192.0.2.1", "device": "a cookie of her browser"},
    }
    auth = guestlist_client.experience_auth
    signed_in = auth.authenticate(**app, credentials=credentials)
    assert signed_in["experienceUser"]["id"] == ann["id"]

    def is_active(token):
        return auth.verify_token(**app, token={"token": token})["active"]

    assert is_active(signed_in["token"])
    with pytest.raises(guestlist.GuestlistError) as refused:
        auth.authenticate(**app, credentials={**credentials, "password": "another one"})
    assert refused.value.status == 401

    tokens = guestlist_client.experience_user_tokens
    made = tokens.post(**user, experienceUserToken={"actor": "support"})
    wanted = {"emailOrId": ann["id"], "invalidateExistingTokens": True}
    alone = tokens.post_for_email_or_id(**app, experienceUserToken=wanted)
    assert [is_active(it["token"]) for it in (signed_in, made, alone)] == [False, False, True]
    wanted = {"emailOrId": "nobody@example.com"}
    assert tokens.post_for_email_or_id(**app, experienceUserToken=wanted) == {"token": None}
    assert tokens.delete(**user)["success"]
    assert not is_active(alone["token"])
    group = guestlist_client.experience_groups.post(
        **app, experienceGroup={"name": "Staff", "experienceUserIds": [ann["id"]]}
    )
    member = auth.verify_group(**user, experienceGroupId=group["id"])
    assert member == {"member": True, "through": group["id"]}


def test_keys_and_settings(guestlist_server, guestlist_client):
    app = {"applicationId": guestlist_server.application_id}
    keys = guestlist_client.experience_keys
    first = keys.post(**app, experienceKey={})
    second = keys.post(**app, experienceKey={})
    assert {key["kid"] for key in keys.get(**app)["items"]} == {first["kid"], second["kid"]}
    now = keys.post(**app, experienceKey={"immediately": True})
    assert (now["kid"], now["state"]) == (second["kid"], "current")
    guestlist_client.experience_key.delete(**app, kid=first["kid"])
    assert keys.get(**app)["count"] == 1

    settings = guestlist_client.experience_sign_in
    _, etag = settings.get_with_etag(**app)
    changed = settings.patch(**app, experienceSignIn={"displayName": "Ann's"}, if_match=etag)
    assert (changed["displayName"], changed["pages"]) == ("Ann's", False)
