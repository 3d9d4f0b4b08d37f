"""experienceGroup(s): enough that the groups of users are true."""

import time

import pytest

from expected import (
    GROUP_SORT_FIELDS,
    NO_GROUP,
    NOTHING,
    SUCCESS,
    entity,
    page,
    validation,
)
from harness import invalid, refused


def test_post_with_only_a_name(world):
    group = world.group("staff")
    entity(group, "experienceGroup", f"{world.url}/experience/groups/{group['id']}")
    assert group["applicationId"] == world.app
    assert group["name"] == "staff"
    assert group["parentId"] is None
    assert group["ancestorIds"] == []
    assert group["experienceUserIds"] == []
    assert group["groupTags"] == {}
    assert "description" not in group
    assert "directDeviceCount" not in group
    assert "totalDeviceCount" not in group


def test_post_with_everything(world):
    root, user = world.group("root"), world.user()
    middle = world.group("middle", parentId=root["id"].upper())
    group = world.group(
        "leaf",
        description="the last",
        parentId=middle["id"],
        groupTags={"floor": "3"},
        experienceUserIds=[user["id"], user["id"]],
    )
    entity(group, "experienceGroup", f"{world.url}/experience/groups/{group['id']}")
    assert group["description"] == "the last"
    assert group["parentId"] == middle["id"]
    assert group["ancestorIds"] == [root["id"], middle["id"]]
    assert group["groupTags"] == {"floor": "3"}
    assert group["experienceUserIds"] == [user["id"]]
    assert world.get_group(group["id"]) == group
    assert world.get_user(user["id"])["experienceGroups"] == [
        {"id": group["id"], "name": "leaf", "parentId": middle["id"]}
    ]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, "name has less length than allowed"),
        ({"name": "n" * 256}, "name has longer length than allowed"),
        ({"name": 1}, "name is the wrong type"),
        ({"description": "d" * 32768}, "description has longer length than allowed"),
        ({"groupTags": {"a": ""}}, "groupTags.a has less length than allowed"),
        ({"experienceUserIds": ["nope"]}, "experienceUserIds.0 pattern mismatch"),
        ({"parentId": "nope"}, "parentId pattern mismatch"),
        ({"ancestorIds": []}, "ancestorIds is an additional property"),
        ({"foo": 1}, "foo is an additional property"),
    ],
)
def test_a_bad_field_is_named(world, fields, message):
    group = world.group()
    with refused(validation(f"experienceGroup.{message}")):
        world.admin.experience_groups.post(
            applicationId=world.app, experienceGroup={"name": "bad", **fields}
        )
    with refused(validation(f"experienceGroup.{message}")):
        world.patch_group(group["id"], **fields)
    assert world.get_group(group["id"]) == group


def test_post_without_a_name(world):
    with refused(validation("experienceGroup.name is required")):
        world.admin.experience_groups.post(applicationId=world.app, experienceGroup={})


@pytest.mark.parametrize("fields", [{"parentId": NOTHING}, {"experienceUserIds": [NOTHING]}])
def test_what_is_not_in_the_application_is_named(world, fields):
    (field,) = fields
    with invalid(f"experienceGroup.{field}") as caught:
        world.group(**fields)
    assert NOTHING in caught.value.data["message"]
    assert world.groups()["totalCount"] == 0


def test_patch_changes_what_is_sent_and_nothing_else(world):
    user = world.user()
    group = world.group("old", description="kept", experienceUserIds=[user["id"]])
    time.sleep(0.01)
    patched = world.patch_group(group["id"], name="new")
    assert patched["lastUpdated"] > group["lastUpdated"]
    assert patched == {**group, "name": "new", "lastUpdated": patched["lastUpdated"]}
    assert world.patch_group(group["id"]) == patched
    assert world.get_user(user["id"])["experienceGroups"][0]["name"] == "new"


def test_members_are_replaced_whole_and_seen_from_both_sides(world):
    one, two = world.user(), world.user()
    group = world.group(experienceUserIds=[one["id"]])
    patched = world.patch_group(group["id"], experienceUserIds=[two["id"]])
    assert patched["experienceUserIds"] == [two["id"]]
    assert world.get_user(one["id"])["experienceGroups"] == []
    assert [it["id"] for it in world.get_user(two["id"])["experienceGroups"]] == [group["id"]]
    world.patch_user(one["id"], experienceGroupIds=[group["id"]])
    assert sorted(world.get_group(group["id"])["experienceUserIds"]) == sorted(
        [one["id"], two["id"]]
    )


def test_a_group_moves_with_all_below_it(world):
    a, b = world.group("a"), world.group("b")
    child = world.group("child", parentId=a["id"])
    leaf = world.group("leaf", parentId=child["id"])
    moved = world.patch_group(child["id"], parentId=b["id"])
    assert moved["ancestorIds"] == [b["id"]]
    assert world.get_group(leaf["id"])["ancestorIds"] == [b["id"], child["id"]]
    root = world.patch_group(child["id"], parentId=None)
    assert (root["parentId"], root["ancestorIds"]) == (None, [])


def test_no_group_is_above_itself(world):
    top = world.group("top")
    below = world.group("below", parentId=top["id"])
    for parent in (top["id"], below["id"]):
        with invalid("experienceGroup.parentId "):
            world.patch_group(top["id"], parentId=parent)
    assert world.get_group(top["id"])["parentId"] is None


def test_device_counts_only_when_asked_for(world):
    group = world.group()
    counted = world.get_group(
        group["id"], includeDirectDeviceCount="true", includeTotalDeviceCount="1"
    )
    assert counted == {**group, "directDeviceCount": 0, "totalDeviceCount": 0}


def test_delete_moves_the_children_up_and_keeps_the_users(world):
    top = world.group("top")
    middle = world.group("middle", parentId=top["id"])
    leaf = world.group("leaf", parentId=middle["id"])
    user = world.user(experienceGroupIds=[middle["id"]])
    ids = {"applicationId": world.app, "experienceGroupId": middle["id"]}
    assert world.admin.experience_group.delete(**ids) == SUCCESS
    for action in ("get", "patch", "delete"):
        body = {"experienceGroup": {}} if action == "patch" else {}
        with refused(NO_GROUP):
            getattr(world.admin.experience_group, action)(**ids, **body)
    moved = world.get_group(leaf["id"])
    assert (moved["parentId"], moved["ancestorIds"]) == (top["id"], [top["id"]])
    assert world.get_user(user["id"])["experienceGroups"] == []


@pytest.fixture
def groups(world):
    made = []
    for name in ("delta", "Alpha", "charlie", "bravo"):
        made.append(world.group(name))
        time.sleep(0.005)
    made[0] = world.patch_group(made[0]["id"], description="touched")
    return made


def test_the_whole_list(world, groups):
    body = world.groups()
    items = page(body, "experienceGroups", f"{world.url}/experience/groups", total=4)
    assert items == sorted(groups, key=lambda group: group["name"].lower())
    assert (body["sortField"], body["sortDirection"]) == ("name", "asc")
    assert (body["page"], body["perPage"]) == (0, 100)
    assert body["applicationId"] == world.app


@pytest.mark.parametrize("field", GROUP_SORT_FIELDS)
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_every_order(world, groups, field, direction):
    body = world.groups(sortField=field, sortDirection=direction)
    wanted = sorted(groups, key=lambda group: group[field].lower())
    assert body["items"] == (wanted if direction == "asc" else wanted[::-1])


def test_pages_and_filter(world, groups):
    href = f"{world.url}/experience/groups"
    page(world.groups(page=1, perPage=3), "experienceGroups", href, total=4, count=1)
    page(world.groups(page=9), "experienceGroups", href, total=4, count=0)
    found = world.groups(filterField="name", filter="*l*")
    assert [group["name"] for group in found["items"]] == ["Alpha", "charlie", "delta"]
    assert (found["filterField"], found["filter"]) == ("name", "*l*")
    assert world.groups(filterField="", filter="") == world.groups()
    with refused(validation("perPage is more than maximum")):
        world.groups(perPage=1001)
    with refused(validation(f"sortField must be one of: {', '.join(GROUP_SORT_FIELDS)}")):
        world.groups(sortField="shoeSize")
    with refused(validation("filterField must be one of: name")):
        world.groups(filterField="id", filter="x")
