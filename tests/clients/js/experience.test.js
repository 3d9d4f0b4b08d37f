'use strict';
// experience: bootstrap and delete, as this client sends them.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { SUCCESS } = require('./expected');
const { inWorld } = require('./harness');

const counts = async (world) =>
  [(await world.users()).totalCount, (await world.groups()).totalCount];

test('bootstrap, and delete with its flags', inWorld(async (world) => {
  const { experience } = world.admin;
  const made = await experience.bootstrap({ ...world.ids, options: {} });
  assert.deepEqual(Object.keys(made).sort(), ['email', 'password', 'resourceSuffix']);
  assert.equal(made.email, 'example.user@example.com');
  assert.equal(made.resourceSuffix, '');
  await experience.bootstrap(world.ids);
  assert.deepEqual(await counts(world), [2, 2]);
  assert.deepEqual(await experience.delete({ ...world.ids, keepGroups: true }), SUCCESS);
  assert.deepEqual(await counts(world), [0, 2]);
  assert.deepEqual(await experience.delete({ ...world.ids, keepUsers: 'x' }), SUCCESS);
  assert.deepEqual(await counts(world), [0, 0]);
}));
