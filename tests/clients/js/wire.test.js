'use strict';
// The wire as this client uses it, and what it alone sends. What no client sends is tested in
// the Python suite.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const {
  BAD_TOKEN, FORBIDDEN, NO_USER, NOTHING, PAYLOAD_TOO_LARGE, SUCCESS, noMethod, noRoute,
} = require('./expected');
const { client, failure, inWorld, raw, refused, server } = require('./harness');

test('the actions are switched off unless asked for', inWorld(async (world) => {
  const { id } = await world.user();
  assert.ok(!('_actions' in (await world.getUser(id))));
  for (const value of [true, 'true', '1', 1, 'yes', '', null]) {
    const body = await world.getUser(id, { _actions: value, _links: value });
    assert.deepEqual(Object.keys(body._actions).sort(), ['delete', 'get', 'patch']);
    assert.ok(body._links.self.href);
  }
  for (const value of [false, 'false', 'True', '0', 'no']) {
    const body = await world.getUser(id, { _actions: value, _links: value });
    assert.ok(!('_actions' in body));
    assert.ok(!('_links' in body));
    assert.equal(body._type, 'experienceUser');
  }
}));

test('any version is accepted', async () => {
  for (const acceptVersion of ['^0.1.0', '^1.20.1', '^99.0.0', 'banana']) {
    const { token } = server.quickstart;
    assert.ok(await client(token, { acceptVersion }).applications.get());
  }
});

test('a domain is accepted', async () => {
  assert.ok(await server.admin.applications.get({ losantdomain: 'example.com' }));
});

test('url and token of one call', async () => {
  const opts = { accessToken: server.quickstart.token };
  assert.ok(await client('nonsense').applications.get({}, opts));
});

test('every way to delete', inWorld(async (world) => {
  const { token } = server.quickstart;
  const ways = [
    { headers: { 'Content-Type': 'application/json' }, body: '{}' },
    { headers: { 'Content-Type': 'application/json' } },
    { headers: { 'Content-Type': 'application/json', 'Content-Length': 0 } },
    {},
  ];
  for (const way of ways) {
    const { id } = await world.user();
    const path = `${world.url}/experience/users/${id}`;
    const answer = await raw('DELETE', path, { token, ...way });
    assert.equal(answer.statusCode, 200);
    assert.deepEqual(answer.body, SUCCESS);
    await refused(NO_USER, () => world.getUser(id));
  }
}));

test('an error is an Error with the fields of the answer', inWorld(async (world) => {
  const error = await failure(() => world.getUser(NOTHING));
  assert.ok(error instanceof Error);
  assert.equal(error.statusCode, 404);
  assert.equal(error.type, 'NotFound');
  assert.equal(error.message, 'Experience user was not found');
}));

test('a body that is too large', inWorld(async (world) => {
  const { id } = await world.user();
  const error = await failure(() => world.patchUser(id, { firstName: 'x'.repeat(1024 * 1024) }));
  assert.equal(error.statusCode, PAYLOAD_TOO_LARGE.statusCode);
  assert.equal(error.type, PAYLOAD_TOO_LARGE.type);
  assert.ok(error.message);
}));

test('routes and methods that are not there', async () => {
  const { token } = server.quickstart;
  for (const path of ['/some/path', '/devices']) {
    const { statusCode, body } = await raw('GET', path, { token });
    assert.deepEqual({ statusCode, ...body }, noRoute(path));
  }
  const { statusCode, body } = await raw('PUT', '/me', { token });
  assert.deepEqual({ statusCode, ...body }, noMethod('PUT'));
  // Resources of the platform that Guestlist does not have, through the client.
  const { applicationId } = server.quickstart;
  await refused(noRoute(`/applications/${applicationId}/devices`), () =>
    server.admin.devices.get({ applicationId }));
});

test('a token in the query wins over the header', async () => {
  const good = server.quickstart.token;
  for (const name of ['access_token', 'jwt']) {
    const ok = await raw('GET', `/me?${name}=${good}`, { token: 'nonsense' });
    assert.equal(ok.statusCode, 200);
    const { statusCode, body } = await raw('GET', `/me?${name}=nonsense`, { token: good });
    assert.deepEqual({ statusCode, ...body }, BAD_TOKEN);
  }
  const jwt = await raw('GET', '/me', { headers: { Authorization: `JWT ${good}` } });
  assert.equal(jwt.statusCode, 200);
  const basic = await raw('GET', '/me', { headers: { Authorization: 'Basic YTpi' } });
  assert.deepEqual({ statusCode: basic.statusCode, ...basic.body }, FORBIDDEN);
});
