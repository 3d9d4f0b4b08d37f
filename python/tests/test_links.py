"""Links by mail: invitations, new passwords and addresses."""

from __future__ import annotations

import pytest

import guestlist

PASSWORD = "correct horse battery"
PAGE = "https://app.example.com/link"


def test_links_by_mail(guestlist_server, guestlist_client):
    app = {"applicationId": guestlist_server.application_id}
    invitation = {"email": "bob@example.com", "linkUrl": PAGE}
    invitations = guestlist_client.experience_invitations
    made = invitations.post(**app, experienceInvitation=invitation)
    assert [it["id"] for it in invitations.iterate(**app)] == [made["id"]]
    [mail] = guestlist_server.mails
    assert (mail["purpose"], mail["recipient"]) == ("invite", "bob@example.com")

    links = guestlist_client.experience_links
    body = {"token": mail["token"], "password": PASSWORD}
    bob = links.post(**app, purpose="invite", link=body)["experienceUser"]
    with pytest.raises(guestlist.GuestlistError) as gone:
        links.post(**app, purpose="invite", link=body)
    assert gone.value.status == 410

    user = {**app, "experienceUserId": bob["id"]}
    quiet = {"linkUrl": PAGE, "sendMail": False}
    resets = guestlist_client.experience_password_resets
    assert resets.post(**user, passwordReset=quiet)["link"].startswith(PAGE)
    changes = guestlist_client.experience_address_changes
    change = {**quiet, "email": "bob@else.example"}
    token = changes.post(**user, addressChange=change)["link"].split("token=")[1]
    moved = links.post(**app, purpose="changeAddress", link={"token": token})
    assert moved["experienceUser"]["email"] == "bob@else.example"

    guestlist_server.clock.advance(3600)
    made = invitations.post(**app, experienceInvitation=invitation)
    guestlist_client.experience_invitation.delete(**app, experienceInvitationId=made["id"])
    sent = [(it["purpose"], it["recipient"]) for it in guestlist_server.mails]
    assert sent[1:] == [("addressChanged", "bob@example.com"), ("invite", "bob@example.com")]
    listed = guestlist_client.experience_mails.get(**app)
    assert [it["state"] for it in listed["items"]] == ["sent"] * 3
