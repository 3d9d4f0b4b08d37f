'use strict';
// experienceUser get, patch, delete and experienceUsers post.

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { test } = require('node:test');

const { NO_USER, NOTHING, SUCCESS, alreadyExists, entity, validation } = require('./expected');
const { inWorld, invalid, refused, server, sleep, World } = require('./harness');

const avatar = (email) => {
  const digest = crypto.createHash('md5').update(email.trim().toLowerCase()).digest('hex');
  return `https://secure.gravatar.com/avatar/${digest}?d=retro&s=240`;
};

test('post with only what is required', inWorld(async (world) => {
  const user = await world.user({ email: 'Ada@Example.com' });
  entity(user, 'experienceUser', `${world.url}/experience/users/${user.id}`);
  for (const unset of ['firstName', 'lastName', 'lastLogin', 'tokenCutoff']) {
    assert.ok(!(unset in user), unset);
  }
  assert.equal(user.applicationId, world.app);
  assert.equal(user.email, 'Ada@Example.com');
  assert.deepEqual(user.userTags, {});
  assert.deepEqual(user.experienceGroups, []);
  assert.equal(user.creationDate, user.lastUpdated);
  assert.ok(user.passwordLastUpdated >= user.creationDate);
  assert.equal(user.avatarUrl, avatar('Ada@Example.com'));
}));

test('post with everything', inWorld(async (world) => {
  const group = await world.group('staff');
  const user = await world.user({
    email: 'ada@example.com',
    firstName: 'Ada',
    lastName: '',
    tokenCutoff: '2020-01-01T01:00:00+01:00',
    userTags: { role: 'admin', 'a-b_C9': 'ü' },
    experienceGroupIds: [group.id, group.id.toUpperCase()],
  });
  entity(user, 'experienceUser', `${world.url}/experience/users/${user.id}`);
  assert.equal(user.firstName, 'Ada');
  assert.equal(user.lastName, '');
  assert.equal(user.tokenCutoff, '2020-01-01T00:00:00.000Z');
  assert.deepEqual(user.userTags, { role: 'admin', 'a-b_C9': 'ü' });
  assert.deepEqual(user.experienceGroups, [{ id: group.id, name: 'staff', parentId: null }]);
  assert.deepEqual(await world.getUser(user.id), user);
}));

for (const [fields, message] of [
  [{ email: 'nobody' }, 'email must be email format'],
  [{ email: null }, 'email is the wrong type'],
  [{ email: `${'a'.repeat(1020)}@b.co` }, 'email has longer length than allowed'],
  [{ password: 'seven77' }, 'password has less length than allowed'],
  [{ password: 'p'.repeat(2049) }, 'password has longer length than allowed'],
  [{ firstName: null }, 'firstName is the wrong type'],
  [{ firstName: 'f'.repeat(1025) }, 'firstName has longer length than allowed'],
  [{ lastName: 5 }, 'lastName is the wrong type'],
  [{ tokenCutoff: 'yesterday' }, 'tokenCutoff must be date-time format'],
  [{ userTags: null }, 'userTags is the wrong type'],
  [{ userTags: { 'a b': 'x' } }, 'userTags.a b is an additional property'],
  [{ userTags: { a: '' } }, 'userTags.a has less length than allowed'],
  [{ userTags: { a: 1 } }, 'userTags.a is the wrong type'],
  [{ experienceGroupIds: ['nope'] }, 'experienceGroupIds.0 pattern mismatch'],
  [
    { experienceGroupIds: Array(1001).fill(NOTHING) },
    'experienceGroupIds has more items than allowed',
  ],
  [{ experienceGroups: [] }, 'experienceGroups is an additional property'],
  [{ foo: 1 }, 'foo is an additional property'],
]) {
  test(`bad field: ${message}`, inWorld(async (world) => {
    const user = await world.user();
    await refused(validation(`experienceUser.${message}`), () => world.user(fields));
    await refused(validation(`experienceUser.${message}`), () =>
      world.patchUser(user.id, fields));
    assert.deepEqual(await world.getUser(user.id), user);
    assert.equal((await world.users()).totalCount, 1);
  }));
}

test('several problems are all listed', inWorld(async (world) => {
  // Without an argument the client sends an empty object.
  const error = await invalid('experienceUser.', () =>
    world.admin.experienceUsers.post(world.ids));
  const fields = error.validationErrors.map((problem) => problem.field).sort();
  assert.deepEqual(fields, ['experienceUser.email', 'experienceUser.password']);
  const { field, validationMessage } = error.validationErrors[0];
  assert.equal(error.message, `${field} ${validationMessage}`);
}));

test('a missing field', inWorld(async (world) => {
  await refused(validation('experienceUser.password is required'), () =>
    world.user({ password: undefined }));
  await refused(validation('experienceUser.email is required'), () =>
    world.user({ email: undefined }));
}));

test('a body that is no object', inWorld(async (world) => {
  await refused(validation('experienceUser is the wrong type'), () =>
    world.admin.experienceUsers.post({ ...world.ids, experienceUser: [] }));
}));

test('an unknown group is named and nothing is written', inWorld(async (world) => {
  const error = await invalid('experienceUser.experienceGroupIds', () =>
    world.user({ experienceGroupIds: [NOTHING] }));
  assert.ok(error.message.includes(NOTHING));
  assert.equal((await world.users()).totalCount, 0);
}));

test('an email is there once, in whatever case', inWorld(async (world) => {
  await world.user({ email: 'ada@example.com' });
  const other = await world.user({ email: 'bob@example.com' });
  await refused(alreadyExists('ada@example.com'), () => world.user({ email: 'ada@example.com' }));
  await refused(alreadyExists('ADA@example.com'), () => world.user({ email: 'ADA@example.com' }));
  await refused(alreadyExists('ada@example.com'), () =>
    world.patchUser(other.id, { email: 'ada@example.com' }));
  assert.deepEqual(await world.getUser(other.id), other);
}));

test('get, also by an id in upper case', inWorld(async (world) => {
  const user = await world.user();
  assert.deepEqual(await world.getUser(user.id), user);
  const ids = { applicationId: world.app.toUpperCase(), experienceUserId: user.id.toUpperCase() };
  assert.deepEqual(await world.admin.experienceUser.get(ids), user);
}));

test('patch changes what is sent and nothing else', inWorld(async (world) => {
  const user = await world.user({ firstName: 'Ada', userTags: { a: '1' } });
  await sleep(10);
  const patched = await world.patchUser(user.id, { firstName: 'Grace' });
  entity(patched, 'experienceUser', `${world.url}/experience/users/${user.id}`);
  assert.ok(patched.lastUpdated > user.lastUpdated);
  const { lastUpdated } = patched;
  assert.deepEqual(patched, { ...user, firstName: 'Grace', lastUpdated });
  assert.deepEqual(await world.getUser(user.id), patched);
}));

test('patch of nothing writes nothing', inWorld(async (world) => {
  const user = await world.user({ firstName: 'Ada' });
  await sleep(10);
  assert.deepEqual(await world.patchUser(user.id, {}), user);
  // Without an argument the client sends an empty object.
  assert.deepEqual(await world.patchUser(user.id), user);
  assert.deepEqual(await world.patchUser(user.id, { firstName: 'Ada' }), user);
}));

test('the avatar follows the email', inWorld(async (world) => {
  const user = await world.user({ email: 'ada@example.com' });
  const patched = await world.patchUser(user.id, { email: 'Grace@Example.com' });
  assert.equal(patched.email, 'Grace@Example.com');
  assert.equal(patched.avatarUrl, avatar('grace@example.com'));
}));

test('a new password is dated and never shown', inWorld(async (world) => {
  const user = await world.user();
  await sleep(10);
  const patched = await world.patchUser(user.id, { password: 'another horse' });
  assert.ok(!('password' in patched));
  assert.ok(patched.passwordLastUpdated > user.passwordLastUpdated);
}));

test('tags and groups are replaced whole', inWorld(async (world) => {
  const [one, two] = [await world.group('one'), await world.group('two')];
  const user = await world.user({ userTags: { a: '1' }, experienceGroupIds: [one.id] });
  const fields = { userTags: { c: '3' }, experienceGroupIds: [two.id] };
  const patched = await world.patchUser(user.id, fields);
  assert.deepEqual(patched.userTags, { c: '3' });
  assert.deepEqual(patched.experienceGroups.map((group) => group.id), [two.id]);
  const emptied = await world.patchUser(user.id, { userTags: {}, experienceGroupIds: [] });
  assert.deepEqual(emptied.userTags, {});
  assert.deepEqual(emptied.experienceGroups, []);
}));

test('what was read cannot be sent back', inWorld(async (world) => {
  const user = await world.user();
  const error = await invalid('experienceUser.', () => world.patchUser(user.id, user));
  assert.ok(error.message.endsWith(' is an additional property'), error.message);
  assert.deepEqual(await world.getUser(user.id), user);
}));

test('delete', inWorld(async (world) => {
  const group = await world.group();
  const user = await world.user({ experienceGroupIds: [group.id] });
  const ids = { ...world.ids, experienceUserId: user.id };
  // The client sends `{}` with a DELETE.
  assert.deepEqual(await world.admin.experienceUser.delete(ids), SUCCESS);
  for (const action of ['get', 'patch', 'delete']) {
    await refused(NO_USER, () => world.admin.experienceUser[action](ids));
  }
  assert.deepEqual((await world.getGroup(group.id)).experienceUserIds, []);
  await world.user({ email: user.email });
}));

test('a user of another application is not found', inWorld(async (world) => {
  const user = await world.user();
  const other = await World.make('other');
  await refused(NO_USER, () => other.getUser(user.id));
  await other.drop();
}));

test('the users of the demonstration', async () => {
  const { applicationId, experienceUserIds } = server.quickstart;
  assert.ok(experienceUserIds.length > 0);
  for (const experienceUserId of experienceUserIds) {
    const user = await server.admin.experienceUser.get({ applicationId, experienceUserId });
    const href = `/applications/${applicationId}/experience/users/${experienceUserId}`;
    entity(user, 'experienceUser', href);
  }
});

test('callbacks as well as promises', (context, done) => {
  const { applicationId, experienceUserIds: [experienceUserId] } = server.quickstart;
  server.admin.experienceUser.get({ applicationId, experienceUserId }, (error, user) => {
    assert.equal(error, null);
    assert.equal(user.id, experienceUserId);
    done();
  });
});
