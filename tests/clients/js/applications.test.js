'use strict';
// application(s): get, post, get one, patch, delete.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const {
  APPLICATION_SORT_FIELDS, BAD_TOKEN, NO_APPLICATION, NOTHING, SUCCESS, entity, page, validation,
} = require('./expected');
const { by, client, inWorld, refused, server, sleep, World } = require('./harness');

test('post and get', inWorld(async (world) => {
  const { admin } = server;
  const made = await admin.applications.post({
    application: { name: 'shop', description: 'sells' },
  });
  entity(made, 'application', `/applications/${made.id}`);
  assert.equal(made.name, 'shop');
  assert.equal(made.description, 'sells');
  // The server is the one organization, and owns every application.
  assert.equal(made.ownerType, 'organization');
  assert.equal(made.organizationName, 'Guestlist');
  assert.equal(made.ownerId, (await admin.application.get(world.ids)).ownerId);
  assert.equal(made.creationDate, made.lastUpdated);
  assert.deepEqual(await admin.application.get({ applicationId: made.id }), made);
  const upper = await admin.application.get({ applicationId: made.id.toUpperCase() });
  assert.deepEqual(upper, made);
  assert.deepEqual(await admin.application.delete({ applicationId: made.id }), SUCCESS);
}));

test('a bad field is named', inWorld(async (world) => {
  for (const [application, message] of [
    [{ name: '' }, 'name has less length than allowed'],
    [{ name: 'n'.repeat(256) }, 'name has longer length than allowed'],
    [{ name: 'x', description: 'd'.repeat(1025) }, 'description has longer length than allowed'],
    [{ name: 'x', foo: 1 }, 'foo is an additional property'],
  ]) {
    await refused(validation(`application.${message}`), () =>
      world.admin.applications.post({ application }));
    await refused(validation(`application.${message}`), () =>
      world.admin.application.patch({ ...world.ids, application }));
  }
  await refused(validation('application.name is required'), () =>
    world.admin.applications.post());
}));

test('patch', inWorld(async (world) => {
  const before = await world.admin.application.get(world.ids);
  await sleep(10);
  const after = await world.admin.application.patch({
    ...world.ids,
    application: { name: 'renamed', expUserTokenCutoff: '2020-01-01T00:00:00Z' },
  });
  const { lastUpdated } = after;
  assert.ok(lastUpdated > before.lastUpdated);
  const expUserTokenCutoff = '2020-01-01T00:00:00.000Z';
  assert.deepEqual(after, { ...before, name: 'renamed', expUserTokenCutoff, lastUpdated });
  assert.deepEqual(await world.admin.application.get(world.ids), after);
  assert.deepEqual(await world.admin.application.patch(world.ids), after);
}));

test('delete takes everything with it', async () => {
  const { admin } = server;
  const doomed = await World.make('doomed');
  const user = await doomed.user();
  const { token } = await doomed.token({ scope: ['all.Application'] });
  assert.deepEqual(await doomed.drop(), SUCCESS);
  for (const action of ['get', 'patch', 'delete']) {
    await refused(NO_APPLICATION, () => admin.application[action](doomed.ids));
  }
  await refused(NO_APPLICATION, () => doomed.getUser(user.id));
  await refused(BAD_TOKEN, () => client(token).application.get(doomed.ids));
  await refused(NO_APPLICATION, () => admin.application.get({ applicationId: NOTHING }));
});

test('list', async () => {
  const { admin } = server;
  const mark = `family ${process.pid}`;
  const made = [];
  for (const name of ['c', 'a', 'b']) {
    made.push(await admin.applications.post({ application: { name: `${mark} ${name}` } }));
    await sleep(5);
  }
  const found = { filterField: 'name', filter: `${mark}*` };
  const body = await admin.applications.get(found);
  assert.deepEqual(page(body, 'applications', '/applications', 3), [...made].sort(by('name')));
  assert.equal(body.sortField, 'name');
  assert.equal(body.sortDirection, 'asc');
  assert.equal(body.filter, `${mark}*`);
  for (const sortField of APPLICATION_SORT_FIELDS) {
    for (const sortDirection of ['asc', 'desc']) {
      const { items } = await admin.applications.get({ ...found, sortField, sortDirection });
      assert.equal(items.length, 3);
      // They all have the same owner, so by that any order is right.
      if (sortField === 'ownerId') continue;
      assert.deepEqual(items, [...made].sort(by(sortField, sortDirection)), sortField);
    }
  }
  const second = await admin.applications.get({ ...found, perPage: 2, page: 1 });
  page(second, 'applications', '/applications', 3, 1);
  await refused(validation('perPage is more than maximum'), () =>
    admin.applications.get({ perPage: 1001 }));
  for (const { id } of made) await admin.application.delete({ applicationId: id });
});
