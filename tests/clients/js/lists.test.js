'use strict';
// experienceUsers get: every parameter.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { USER_SORT_FIELDS, page, validation } = require('./expected');
const { by, inWorld, refused, sleep } = require('./harness');

// Made in this order; no two fields sort them alike.
const PEOPLE = [
  ['Delta@example.com', 'Bert', 'Stone'],
  ['alpha@example.com', 'Dora', 'Quill'],
  ['charlie@example.com', 'Anna', 'Tyne'],
  ['bravo@example.com', 'Carl', 'Reed'],
];

function withPeople(check) {
  return inWorld(async (world) => {
    const made = [];
    for (const [email, firstName, lastName] of PEOPLE) {
      made.push(await world.user({ email, firstName, lastName }));
      // So that no two have the same date.
      await sleep(5);
    }
    // Now the order of `lastUpdated` is not that of `creationDate`.
    made[0] = await world.patchUser(made[0].id, { userTags: { touched: 'yes' } });
    await check(world, made, `${world.url}/experience/users`);
  });
}

const emails = (body) => body.items.map((user) => user.email);

test('the whole body', withPeople(async (world, people, href) => {
  const body = await world.users();
  const items = page(body, 'experienceUsers', href, 4);
  assert.deepEqual(items, [...people].sort(by('email')));
  assert.equal(body.page, 0);
  assert.equal(body.perPage, 100);
  assert.equal(body.sortField, 'email');
  assert.equal(body.sortDirection, 'asc');
  assert.equal(body.applicationId, world.app);
  for (const key of ['filter', 'filterField', 'experienceGroupId']) assert.ok(!(key in body), key);
}));

test('every order', withPeople(async (world, people, href) => {
  for (const sortField of USER_SORT_FIELDS) {
    for (const sortDirection of ['asc', 'desc']) {
      const body = await world.users({ sortField, sortDirection });
      const items = page(body, 'experienceUsers', href, 4);
      assert.equal(body.sortField, sortField);
      assert.equal(body.sortDirection, sortDirection);
      // Nobody has signed in, so by that any order is right.
      if (sortField === 'lastLogin') continue;
      assert.deepEqual(items, [...people].sort(by(sortField, sortDirection)), sortField);
    }
  }
}));

test('pages', withPeople(async (world, people, href) => {
  const inOrder = emails(await world.users());
  for (const [number, count] of [[0, 3], [1, 1], [2, 0], [50, 0]]) {
    const body = await world.users({ page: number, perPage: 3 });
    page(body, 'experienceUsers', href, 4, count);
    assert.equal(body.page, number);
    assert.equal(body.perPage, 3);
    assert.deepEqual(emails(body), inOrder.slice(number * 3, number * 3 + 3));
  }
  assert.equal((await world.users({ perPage: 1000 })).perPage, 1000);
}));

test('bad parameters', inWorld(async (world) => {
  for (const [params, message] of [
    [{ perPage: 1001 }, 'perPage is more than maximum'],
    [{ perPage: 0 }, 'perPage is less than minimum'],
    [{ perPage: 'many' }, 'perPage is the wrong type'],
    [{ page: -1 }, 'page is less than minimum'],
    [{ page: 'first' }, 'page is the wrong type'],
    [{ sortField: 'shoeSize' }, `sortField must be one of: ${USER_SORT_FIELDS.join(', ')}`],
    [{ sortDirection: 'up' }, 'sortDirection must be one of: asc, desc'],
    [
      { filterField: 'id', filter: 'x' },
      'filterField must be one of: firstName, lastName, email',
    ],
  ]) {
    await refused(validation(message), () => world.users(params));
  }
}));

test('filter', withPeople(async (world, people, href) => {
  for (const [filterField, filter, found] of [
    ['email', 'alpha@example.com', ['alpha@example.com']],
    ['email', 'delta@EXAMPLE.com', ['Delta@example.com']],
    ['email', 'alpha', []],
    ['email', '*', ['alpha@example.com', 'bravo@example.com', 'charlie@example.com',
      'Delta@example.com']],
    ['email', '?ravo@example.com', ['bravo@example.com']],
    ['email', '[ab]*', []],
    ['firstName', 'a??a', ['charlie@example.com']],
    ['lastName', '*e', ['charlie@example.com', 'Delta@example.com']],
  ]) {
    const body = await world.users({ filterField, filter });
    page(body, 'experienceUsers', href, found.length);
    assert.deepEqual(emails(body), found);
    assert.equal(body.filterField, filterField);
    assert.equal(body.filter, filter);
  }
}));

test('blank and null are as if not sent', withPeople(async (world) => {
  const plain = await world.users();
  const names = [
    'sortField', 'sortDirection', 'page', 'perPage', 'filterField', 'filter',
    'experienceGroupId', 'includeAncestorGroups',
  ];
  // The client writes a null as a blank.
  for (const value of ['', null, undefined]) {
    const params = Object.fromEntries(names.map((name) => [name, value]));
    assert.deepEqual(await world.users(params), plain);
  }
}));

function withTree(check) {
  return inWorld(async (world) => {
    const root = await world.group('root');
    const middle = await world.group('middle', { parentId: root.id });
    const leaf = await world.group('leaf', { parentId: middle.id });
    for (const group of [root, middle, leaf]) {
      const email = `${group.name}@example.com`;
      await world.user({ email, experienceGroupIds: [group.id] });
    }
    await world.user({ email: 'none@example.com' });
    await check(world, { root: root.id, middle: middle.id, leaf: leaf.id });
  });
}

const names = (body) => emails(body).map((email) => email.split('@')[0]);

test('the members of a group', withTree(async (world, { middle }) => {
  const body = await world.users({ experienceGroupId: middle });
  page(body, 'experienceUsers', `${world.url}/experience/users`, 1);
  assert.deepEqual(names(body), ['middle']);
  assert.equal(body.experienceGroupId, middle);
}));

test('in any group and in none', withTree(async (world) => {
  const anyone = await world.users({ experienceGroupId: 'any' });
  assert.deepEqual(names(anyone), ['leaf', 'middle', 'root']);
  assert.ok(!('experienceGroupId' in anyone));
  const nobody = await world.users({ experienceGroupId: 'none' });
  assert.deepEqual(names(nobody), ['none']);
  assert.ok(!('experienceGroupId' in nobody));
}));

test('the members of the ancestors too', withTree(async (world, { root, middle, leaf }) => {
  for (const includeAncestorGroups of [true, 'true', '1', 1, 'yes', 'True']) {
    const found = async (experienceGroupId) =>
      names(await world.users({ experienceGroupId, includeAncestorGroups }));
    assert.deepEqual(await found(leaf), ['leaf', 'middle', 'root']);
    assert.deepEqual(await found(middle), ['middle', 'root']);
    assert.deepEqual(await found(root), ['root']);
  }
  for (const includeAncestorGroups of [false, 'false', '0', 'no', '', null, 'False']) {
    const body = await world.users({ experienceGroupId: leaf, includeAncestorGroups });
    assert.deepEqual(names(body), ['leaf']);
  }
}));

test('a query of a client that does not know it is dropped', withPeople(async (world) => {
  const body = await world.users({ query: { email: 'nobody@example.com' } });
  assert.equal(body.totalCount, 4);
}));
