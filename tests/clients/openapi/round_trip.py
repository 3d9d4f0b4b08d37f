"""With the client that openapi-python-client made: what is read can be written back as it is."""

import os

from generated_client import AuthenticatedClient
from generated_client.api.experience_group import experience_group_get, experience_group_patch
from generated_client.api.experience_groups import experience_groups_post
from generated_client.api.experience_user import experience_user_get, experience_user_patch
from generated_client.api.experience_users import experience_users_get, experience_users_post
from generated_client.models import (
    DeviceTagPost,
    Error,
    ExperienceGroupPatch,
    ExperienceGroupPost,
    ExperienceUserPatch,
    ExperienceUserPost,
    Tags,
)

application = os.environ["GUESTLIST_APPLICATION"]
client = AuthenticatedClient(os.environ["GUESTLIST_URL"], os.environ["GUESTLIST_TOKEN"])
tags = Tags.from_dict({"plan": "gold", "a-b_1": "ä"})

group = experience_groups_post.sync(
    application,
    client=client,
    body=ExperienceGroupPost(
        "py", group_tags=tags, device_tags=[DeviceTagPost(key="k", value="v")]
    ),
)
assert group.group_tags == tags, group
assert group.parent_id is None, group
user = experience_users_post.sync(
    application,
    client=client,
    body=ExperienceUserPost(
        "py@example.com", "correct horse", user_tags=tags, experience_group_ids=[group.id]
    ),
)
assert user.user_tags == tags, user

# Read, and write back as it was read.
read = experience_user_get.sync(application, user.id, client=client)
assert read.user_tags["plan"] == "gold" and read.password_last_updated, read
written = experience_user_patch.sync(
    application,
    user.id,
    client=client,
    body=ExperienceUserPatch(
        first_name="Py",
        user_tags=read.user_tags,
        experience_group_ids=[one.id for one in read.experience_groups],
    ),
)
assert written.first_name == "Py", written
assert written.user_tags == tags and written.experience_groups == read.experience_groups, written

# With a tag more, under a condition that holds, and under one that does not.
etag = experience_user_get.sync_detailed(application, user.id, client=client).headers["etag"]
read.user_tags["more"] = "1"
body = ExperienceUserPatch(user_tags=read.user_tags)
changed = experience_user_patch.sync(application, user.id, client=client, body=body, if_match=etag)
assert changed.user_tags.to_dict() == {"plan": "gold", "a-b_1": "ä", "more": "1"}, changed
refused = experience_user_patch.sync_detailed(
    application, user.id, client=client, body=body, if_match=etag
)
assert refused.status_code == 412 and isinstance(refused.parsed, Error), refused

read = experience_group_get.sync(application, group.id, client=client)
written = experience_group_patch.sync(
    application,
    group.id,
    client=client,
    body=ExperienceGroupPatch(
        name="python",
        group_tags=read.group_tags,
        experience_user_ids=read.experience_user_ids,
        device_tags=[DeviceTagPost.from_dict(one.to_dict()) for one in read.device_tags],
    ),
)
assert written.name == "python", written
for name in ("group_tags", "experience_user_ids", "device_tags"):
    assert getattr(written, name) == getattr(read, name), name

page = experience_users_get.sync(
    application, client=client, query='{"userTags": {"plan": "gold"}}', per_page=1000
)
assert [one.id for one in page.items].count(user.id) == 1, page
assert page.total_count == len(page.items) and page.application_id == application, page
