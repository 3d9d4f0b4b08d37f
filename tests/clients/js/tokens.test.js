'use strict';
// applicationApiToken(s) and userApiToken(s).

const assert = require('node:assert/strict');
const { test } = require('node:test');

const {
  BAD_TOKEN, EXPIRED_TOKEN, FORBIDDEN, NO_TOKEN, NOTHING, SUCCESS, TOKEN_SORT_FIELDS, entity,
  page, validation,
} = require('./expected');
const { client, inWorld, invalid, person, refused, sleep } = require('./harness');

const FAR = '2999-01-01T00:00:00.000Z';

/** Runs a test once with the tokens of an application and once with those of a user. */
function forBoth(name, check) {
  test(`${name}: application`, inWorld((world) =>
    check({
      kind: 'applicationApiToken',
      ownerType: 'application',
      owner: world.app,
      scope: 'all.Application.read',
      href: `${world.url}/tokens`,
      ids: world.ids,
      many: world.admin.applicationApiTokens,
      one: world.admin.applicationApiToken,
      use: (token) => client(token).application.get(world.ids),
    })));
  test(`${name}: user`, async () => {
    const someone = await person();
    await check({
      kind: 'userApiToken',
      ownerType: 'user',
      owner: someone.userId,
      scope: 'all.User.read',
      href: '/me/tokens',
      ids: {},
      many: someone.client.userApiTokens,
      one: someone.client.userApiToken,
      use: (token) => client(token).me.get(),
    });
  });
}

const post = (tokens, fields = {}) =>
  tokens.many.post({
    ...tokens.ids,
    apiToken: { name: 'token', scope: [tokens.scope], ...fields },
  });
const act = (tokens, action, { id }, more = {}) =>
  tokens.one[action]({ ...tokens.ids, apiTokenId: id, ...more });

forBoth('post, get and the token itself once', async (tokens) => {
  const made = await post(tokens, { description: 'for the door', expirationDate: FAR });
  entity(made, tokens.kind, `${tokens.href}/${made.id}`);
  assert.equal(made.ownerId, tokens.owner);
  assert.equal(made.ownerType, tokens.ownerType);
  assert.ok(['user', 'apiToken'].includes(made.creatorType));
  assert.equal(made.description, 'for the door');
  assert.equal(made.expirationDate, FAR);
  assert.equal(made.status, 'active');
  assert.deepEqual(made.scope, [tokens.scope]);
  assert.ok(await tokens.use(made.token));
  const { token, ...rest } = made;
  assert.deepEqual(await act(tokens, 'get', made), rest);
  assert.ok(!JSON.stringify(await tokens.many.get(tokens.ids)).includes(token));
});

forBoth('a bad field is named', async (tokens) => {
  for (const [fields, message] of [
    [{ name: '' }, 'name has less length than allowed'],
    [{ name: undefined }, 'name is required'],
    [{ expirationDate: 'soon' }, 'expirationDate must be date-time format'],
    [{ status: 'asleep' }, 'status must be one of: active, inactive'],
    [{ scope: 'all.Application' }, 'scope is the wrong type'],
    [{ scope: [tokens.scope, tokens.scope] }, 'scope must be unique'],
    [{ foo: 1 }, 'foo is an additional property'],
  ]) {
    await refused(validation(`apiToken.${message}`), () => post(tokens, fields));
  }
  await invalid('apiToken.scope', () => post(tokens, { scope: ['shoes.polish'] }));
});

forBoth('patch', async (tokens) => {
  const { token, ...made } = await post(tokens);
  await sleep(10);
  const apiToken = { name: 'new', description: 'said' };
  const patched = await act(tokens, 'patch', made, { apiToken });
  const { lastUpdated } = patched;
  assert.ok(lastUpdated > made.lastUpdated);
  assert.deepEqual(patched, { ...made, ...apiToken, lastUpdated });
  assert.deepEqual(await act(tokens, 'patch', made), patched);
  for (const [fields, message] of [
    [{ scope: ['all.Application'] }, 'scope is an additional property'],
    [{ expirationDate: FAR }, 'expirationDate is an additional property'],
    [{ status: 'asleep' }, 'status must be one of: active, inactive'],
  ]) {
    await refused(validation(`apiToken.${message}`), () =>
      act(tokens, 'patch', made, { apiToken: fields }));
  }
  assert.ok(await tokens.use(token));
  await act(tokens, 'patch', made, { apiToken: { status: 'inactive' } });
  await refused(BAD_TOKEN, () => tokens.use(token));
  await act(tokens, 'patch', made, { apiToken: { status: 'active' } });
  assert.ok(await tokens.use(token));
});

forBoth('delete', async (tokens) => {
  const made = await post(tokens);
  assert.deepEqual(await act(tokens, 'delete', made), SUCCESS);
  await refused(BAD_TOKEN, () => tokens.use(made.token));
  for (const action of ['get', 'patch', 'delete']) {
    await refused(NO_TOKEN, () => act(tokens, action, made));
  }
  await refused(NO_TOKEN, () => act(tokens, 'get', { id: NOTHING }));
});

forBoth('an expired token', async (tokens) => {
  const expirationDate = new Date(Date.now() + 6000).toISOString();
  const made = await post(tokens, { expirationDate });
  assert.equal(made.expirationDate, expirationDate);
  assert.ok(await tokens.use(made.token));
  await sleep(7200);
  await refused(EXPIRED_TOKEN, () => tokens.use(made.token));
});

forBoth('list', async (tokens) => {
  for (const [index, name] of ['Delta', 'alpha', 'bravo'].entries()) {
    const status = name === 'alpha' ? 'inactive' : 'active';
    await post(tokens, { name, status, expirationDate: `29${index}0-01-01T00:00:00.000Z` });
    await sleep(5);
  }
  const body = await tokens.many.get(tokens.ids);
  const items = page(body, `${tokens.kind}s`, tokens.href, 3);
  assert.deepEqual(items.map((token) => token.name), ['alpha', 'bravo', 'Delta']);
  for (const item of items) {
    entity(item, tokens.kind, `${tokens.href}/${item.id}`);
    assert.ok(!('token' in item));
  }
  assert.equal(body.ownerId, tokens.owner);
  assert.equal(body.ownerType, tokens.ownerType);
  for (const sortField of TOKEN_SORT_FIELDS) {
    for (const sortDirection of ['asc', 'desc']) {
      const sorted = await tokens.many.get({ ...tokens.ids, sortField, sortDirection });
      const values = sorted.items.map((token) => token[sortField].toLowerCase());
      const wanted = [...values].sort();
      if (sortDirection === 'desc') wanted.reverse();
      assert.deepEqual(values, wanted, sortField);
    }
  }
  const asleep = { ...tokens.ids, filterField: 'status', filter: 'inactive' };
  assert.deepEqual((await tokens.many.get(asleep)).items.map((token) => token.name), ['alpha']);
  const second = { ...tokens.ids, filterField: 'name', filter: '*a', perPage: 1, page: 1 };
  page(await tokens.many.get(second), `${tokens.kind}s`, tokens.href, 2, 1);
  assert.deepEqual(await tokens.many.get({ ...tokens.ids, filter: null }), body);
});

test('a token makes no token that may do more', inWorld(async (world) => {
  const narrow = await world.client('applicationApiTokens.post', 'experienceUser.get');
  const mint = (scope) =>
    narrow.applicationApiTokens.post({ ...world.ids, apiToken: { name: 'made', scope } });
  assert.deepEqual((await mint(['experienceUser.get'])).scope, ['experienceUser.get']);
  for (const scope of [['experienceUser.*'], ['all.Application'], undefined]) {
    await refused(FORBIDDEN, () => mint(scope));
  }
}));

test('without a scope it is for the whole application', inWorld(async (world) => {
  const made = await world.token();
  assert.deepEqual(made.scope, ['all.Application']);
  assert.ok(await client(made.token).experienceUsers.get(world.ids));
}));
