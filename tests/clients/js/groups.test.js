'use strict';
// experienceGroup(s): enough that the groups of users are true.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const {
  GROUP_SORT_FIELDS, NO_GROUP, NOTHING, SUCCESS, entity, page, validation,
} = require('./expected');
const { by, inWorld, invalid, refused, sleep } = require('./harness');

test('post with only a name', inWorld(async (world) => {
  const group = await world.group('staff');
  entity(group, 'experienceGroup', `${world.url}/experience/groups/${group.id}`);
  assert.equal(group.applicationId, world.app);
  assert.equal(group.name, 'staff');
  assert.equal(group.parentId, null);
  assert.deepEqual(group.ancestorIds, []);
  assert.deepEqual(group.experienceUserIds, []);
  assert.deepEqual(group.groupTags, {});
  for (const unset of ['description', 'directDeviceCount', 'totalDeviceCount']) {
    assert.ok(!(unset in group), unset);
  }
}));

test('post with everything, seen from both sides', inWorld(async (world) => {
  const [root, user] = [await world.group('root'), await world.user()];
  const group = await world.group('leaf', {
    description: 'the last',
    parentId: root.id.toUpperCase(),
    groupTags: { floor: '3' },
    experienceUserIds: [user.id, user.id],
  });
  entity(group, 'experienceGroup', `${world.url}/experience/groups/${group.id}`);
  assert.equal(group.description, 'the last');
  assert.equal(group.parentId, root.id);
  assert.deepEqual(group.ancestorIds, [root.id]);
  assert.deepEqual(group.groupTags, { floor: '3' });
  assert.deepEqual(group.experienceUserIds, [user.id]);
  assert.deepEqual(await world.getGroup(group.id), group);
  const seen = (await world.getUser(user.id)).experienceGroups;
  assert.deepEqual(seen, [{ id: group.id, name: 'leaf', parentId: root.id }]);
}));

test('a bad field is named', inWorld(async (world) => {
  const group = await world.group();
  for (const [fields, message] of [
    [{ name: '' }, 'name has less length than allowed'],
    [{ name: 'n'.repeat(256) }, 'name has longer length than allowed'],
    [{ groupTags: { a: '' } }, 'groupTags.a has less length than allowed'],
    [{ experienceUserIds: ['nope'] }, 'experienceUserIds.0 pattern mismatch'],
    [{ parentId: 'nope' }, 'parentId pattern mismatch'],
    [{ ancestorIds: [] }, 'ancestorIds is an additional property'],
  ]) {
    await refused(validation(`experienceGroup.${message}`), () => world.group('bad', fields));
    await refused(validation(`experienceGroup.${message}`), () =>
      world.patchGroup(group.id, fields));
  }
  await refused(validation('experienceGroup.name is required'), () =>
    world.admin.experienceGroups.post(world.ids));
  assert.deepEqual(await world.getGroup(group.id), group);
}));

test('what is not in the application is named', inWorld(async (world) => {
  for (const [field, value] of [['parentId', NOTHING], ['experienceUserIds', [NOTHING]]]) {
    const error = await invalid(`experienceGroup.${field}`, () =>
      world.group('bad', { [field]: value }));
    assert.ok(error.message.includes(NOTHING), error.message);
  }
}));

test('patch', inWorld(async (world) => {
  const [one, two] = [await world.user(), await world.user()];
  const group = await world.group('old', { description: 'kept', experienceUserIds: [one.id] });
  await sleep(10);
  const patched = await world.patchGroup(group.id, { name: 'new', experienceUserIds: [two.id] });
  const { lastUpdated } = patched;
  assert.ok(lastUpdated > group.lastUpdated);
  assert.deepEqual(patched, { ...group, name: 'new', experienceUserIds: [two.id], lastUpdated });
  assert.deepEqual((await world.getUser(one.id)).experienceGroups, []);
  assert.equal((await world.getUser(two.id)).experienceGroups[0].name, 'new');
  assert.deepEqual(await world.patchGroup(group.id, {}), patched);
}));

test('a group moves with all below it, and never below itself', inWorld(async (world) => {
  const [a, b] = [await world.group('a'), await world.group('b')];
  const child = await world.group('child', { parentId: a.id });
  const leaf = await world.group('leaf', { parentId: child.id });
  assert.deepEqual((await world.patchGroup(child.id, { parentId: b.id })).ancestorIds, [b.id]);
  assert.deepEqual((await world.getGroup(leaf.id)).ancestorIds, [b.id, child.id]);
  for (const parentId of [child.id, leaf.id]) {
    await invalid('experienceGroup.parentId ', () => world.patchGroup(child.id, { parentId }));
  }
  const root = await world.patchGroup(child.id, { parentId: null });
  assert.equal(root.parentId, null);
  assert.deepEqual(root.ancestorIds, []);
}));

test('device counts only when asked for', inWorld(async (world) => {
  const group = await world.group();
  const counted = await world.getGroup(group.id, {
    includeDirectDeviceCount: true,
    includeTotalDeviceCount: true,
  });
  assert.deepEqual(counted, { ...group, directDeviceCount: 0, totalDeviceCount: 0 });
}));

test('delete moves the children up and keeps the users', inWorld(async (world) => {
  const top = await world.group('top');
  const middle = await world.group('middle', { parentId: top.id });
  const leaf = await world.group('leaf', { parentId: middle.id });
  const user = await world.user({ experienceGroupIds: [middle.id] });
  const ids = { ...world.ids, experienceGroupId: middle.id };
  assert.deepEqual(await world.admin.experienceGroup.delete(ids), SUCCESS);
  for (const action of ['get', 'patch', 'delete']) {
    await refused(NO_GROUP, () => world.admin.experienceGroup[action](ids));
  }
  const moved = await world.getGroup(leaf.id);
  assert.equal(moved.parentId, top.id);
  assert.deepEqual(moved.ancestorIds, [top.id]);
  assert.deepEqual((await world.getUser(user.id)).experienceGroups, []);
}));

test('list', inWorld(async (world) => {
  const made = [];
  for (const name of ['delta', 'Alpha', 'charlie', 'bravo']) {
    made.push(await world.group(name));
    await sleep(5);
  }
  made[0] = await world.patchGroup(made[0].id, { description: 'touched' });

  const href = `${world.url}/experience/groups`;
  const body = await world.groups();
  assert.deepEqual(page(body, 'experienceGroups', href, 4), [...made].sort(by('name')));
  assert.equal(body.applicationId, world.app);
  for (const sortField of GROUP_SORT_FIELDS) {
    for (const sortDirection of ['asc', 'desc']) {
      const sorted = await world.groups({ sortField, sortDirection });
      assert.deepEqual(sorted.items, [...made].sort(by(sortField, sortDirection)), sortField);
      assert.equal(sorted.sortField, sortField);
      assert.equal(sorted.sortDirection, sortDirection);
    }
  }
  page(await world.groups({ page: 1, perPage: 3 }), 'experienceGroups', href, 4, 1);
  page(await world.groups({ page: 9 }), 'experienceGroups', href, 4, 0);
  const found = await world.groups({ filterField: 'name', filter: '*l*' });
  assert.deepEqual(found.items.map((group) => group.name), ['Alpha', 'charlie', 'delta']);
  assert.deepEqual(await world.groups({ filterField: null, filter: null }), body);
  await refused(validation('perPage is more than maximum'), () => world.groups({ perPage: 1001 }));
  await refused(validation(`sortField must be one of: ${GROUP_SORT_FIELDS.join(', ')}`), () =>
    world.groups({ sortField: 'shoeSize' }));
}));
