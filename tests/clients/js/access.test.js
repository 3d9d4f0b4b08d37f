'use strict';
// Who may do what: every action with every kind of token that must not open it.

const assert = require('node:assert/strict');
const { before, test } = require('node:test');

const {
  BAD_TOKEN, EXPIRED_TOKEN, FORBIDDEN, GOOD_PASSWORD, NO_APPLICATION, NO_GROUP, NO_TOKEN,
  NO_USER, NOTHING, OTHER_PASSWORD, validation,
} = require('./expected');
const { client, ready, refused, server, sleep, World } = require('./harness');

const APP = ['applicationId'];
const USER = [...APP, 'experienceUserId'];
const GROUP = [...APP, 'experienceGroupId'];
const TOKEN = [...APP, 'apiTokenId'];

// The action, its path parameters, the body, and what an id that is of nothing gives.
const ACTIONS = [
  ['experience.bootstrap', APP],
  ['experience.delete', APP],
  ['experienceUsers.get', APP],
  ['experienceUsers.post', APP,
    { experienceUser: { email: 'new@example.com', password: 'correct horse' } }],
  ['experienceUser.get', USER, {}, NO_USER],
  ['experienceUser.patch', USER, { experienceUser: { firstName: 'New' } }, NO_USER],
  ['experienceUser.delete', USER, {}, NO_USER],
  ['experienceGroups.get', APP],
  ['experienceGroups.post', APP, { experienceGroup: { name: 'new' } }],
  ['experienceGroup.get', GROUP, {}, NO_GROUP],
  ['experienceGroup.patch', GROUP, { experienceGroup: { name: 'new' } }, NO_GROUP],
  ['experienceGroup.delete', GROUP, {}, NO_GROUP],
  ['applications.get', []],
  ['applications.post', [], { application: { name: 'new' } }],
  ['application.get', APP],
  ['application.patch', APP, { application: { name: 'new' } }],
  ['application.delete', APP],
  ['applicationApiTokens.get', APP],
  ['applicationApiTokens.post', APP, { apiToken: { name: 'new' } }],
  ['applicationApiToken.get', TOKEN, {}, NO_TOKEN],
  ['applicationApiToken.patch', TOKEN, { apiToken: { name: 'new' } }, NO_TOKEN],
  ['applicationApiToken.delete', TOKEN, {}, NO_TOKEN],
  ['me.get', []],
  ['me.patch', [], { user: { firstName: 'New' } }],
  ['me.changePassword', [],
    { data: { password: GOOD_PASSWORD, newPassword: OTHER_PASSWORD } }],
  ['me.refreshToken', []],
  ['userApiTokens.get', []],
  ['userApiTokens.post', [], { apiToken: { name: 'new', scope: ['me.get'] } }],
  ['userApiToken.get', ['apiTokenId'], {}, NO_TOKEN],
  ['userApiToken.patch', ['apiTokenId'], { apiToken: { name: 'new' } }, NO_TOKEN],
  ['userApiToken.delete', ['apiTokenId'], {}, NO_TOKEN],
].map(([name, path, body = {}, missing]) => {
  const [resource, verb] = name.split('.');
  return { name, path, missing, call: (who, ids) => who[resource][verb]({ ...ids, ...body }) };
});

let world;
let other;
let ids;
const tokens = {};

before(async () => {
  await ready();
  // One application for all of them: what is refused leaves nothing behind.
  world = await World.make('access');
  other = await World.make('other');
  ids = {
    ...world.ids,
    experienceUserId: (await world.user()).id,
    experienceGroupId: (await world.group()).id,
    apiTokenId: (await world.token({ scope: ['device.get'] })).id,
  };
  const scope = ['all.Application'];
  // It cannot end before it is made, however long that takes.
  const expirationDate = new Date(Date.now() + 6000).toISOString();
  tokens.expired = (await world.token({ scope, expirationDate })).token;
  const revoked = await world.token({ scope });
  await world.admin.applicationApiToken.delete({ ...world.ids, apiTokenId: revoked.id });
  tokens.revoked = revoked.token;
  tokens.narrow = (await world.token({ scope: ['device.get'] })).token;
  tokens.stranger = (await other.token({ scope })).token;
  const [head, claims, signature] = server.quickstart.token.split('.');
  tokens.forged = [head, claims, [...signature].reverse().join('')].join('.');
  await sleep(7200);
});

for (const action of ACTIONS) {
  test(`${action.name}: tokens that do not open it`, async () => {
    await refused(FORBIDDEN, () => action.call(client(), ids));
    await refused(BAD_TOKEN, () => action.call(client('nonsense'), ids));
    await refused(BAD_TOKEN, () => action.call(client(tokens.forged), ids));
    await refused(EXPIRED_TOKEN, () => action.call(client(tokens.expired), ids));
    await refused(BAD_TOKEN, () => action.call(client(tokens.revoked), ids));
    await refused(FORBIDDEN, () => action.call(client(tokens.narrow), ids));
  });

  if (action.path.includes('applicationId')) {
    test(`${action.name}: of another application, and of none`, async () => {
      const nothing = Object.fromEntries(action.path.map((name) => [name, NOTHING]));
      const stranger = client(tokens.stranger);
      await refused(NO_APPLICATION, () => action.call(stranger, ids));
      await refused(NO_APPLICATION, () => action.call(stranger, nothing));
      await refused(NO_APPLICATION, () => action.call(world.admin, nothing));
    });
  }

  if (action.missing) {
    test(`${action.name}: of nothing`, async () => {
      await refused(action.missing, () =>
        action.call(world.admin, { ...ids, [action.path.at(-1)]: NOTHING }));
    });
  }

  for (const parameter of action.path) {
    test(`${action.name}: malformed ${parameter}, before the token is looked at`, async () => {
      for (const bad of ['nope', 'g'.repeat(24)]) {
        for (const token of [server.quickstart.token, 'nonsense', undefined]) {
          await refused(validation(`${parameter} pattern mismatch`), () =>
            action.call(client(token), { ...ids, [parameter]: bad }));
        }
      }
    });
  }
}

test('the body is checked before the token', async () => {
  for (const token of ['nonsense', undefined]) {
    await refused(validation('experienceUser.foo is an additional property'), () =>
      client(token).experienceUser.patch({ ...ids, experienceUser: { foo: 1 } }));
  }
});

test('the last: all of the refusals above left everything as it was', async () => {
  assert.equal((await world.users()).totalCount, 1);
  assert.equal((await world.groups()).totalCount, 1);
  assert.ok(!('firstName' in (await world.getUser(ids.experienceUserId))));
  await other.drop();
  await world.drop();
});
