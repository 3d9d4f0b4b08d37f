'use strict';
// auth authenticateUser and ssoDomain; me get, patch, changePassword and refreshToken.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const {
  BAD_LOGIN, BAD_OLD_PASSWORD, BAD_TOKEN, EXPIRED_TOKEN, FORBIDDEN, GOOD_PASSWORD, ID,
  OTHER_PASSWORD, alreadyExists, entity, validation,
} = require('./expected');
const { client, invalid, person, refused, server, sleep } = require('./harness');

const signIn = (email, more = {}) =>
  client().auth.authenticateUser({ credentials: { email, password: GOOD_PASSWORD, ...more } });

test('sign in', async () => {
  const { email } = await person();
  const answer = await signIn(email);
  assert.deepEqual(Object.keys(answer).sort(), ['token', 'userId']);
  assert.match(answer.userId, ID);
  assert.equal((await client(answer.token).me.get()).userId, answer.userId);
});

test('a wrong password and an unknown address are refused alike', async () => {
  const { email } = await person();
  await refused(BAD_LOGIN, () => signIn(email, { password: 'not the password' }));
  await refused(BAD_LOGIN, () => signIn('nobody@example.com'));
});

test('bad credentials', async () => {
  const good = { email: 'a@example.com', password: GOOD_PASSWORD };
  for (const [credentials, message] of [
    [{ password: GOOD_PASSWORD }, 'email is required'],
    [{ email: 'a@example.com' }, 'password is required'],
    [{ ...good, password: 'seven77' }, 'password has less length than allowed'],
    [{ ...good, email: 'nobody' }, 'email must be email format'],
    [{ ...good, tokenTTL: -1 }, 'tokenTTL is less than minimum'],
    [{ ...good, foo: 1 }, 'foo is an additional property'],
    [{ ...good, requestedScopes: ['me.get', 'me.get'] }, 'requestedScopes must be unique'],
  ]) {
    await refused(validation(`credentials.${message}`), () =>
      client().auth.authenticateUser({ credentials }));
  }
  await invalid('credentials.', () => client().auth.authenticateUser());
  await invalid('credentials.requestedScopes', () =>
    signIn('a@example.com', { requestedScopes: ['shoes.polish'] }));
});

test('a narrow token', async () => {
  const { email } = await person();
  const narrow = client((await signIn(email, { requestedScopes: ['me.get'] })).token);
  assert.equal((await narrow.me.get()).email, email);
  await refused(FORBIDDEN, () => narrow.applications.get());
});

test('a token that lives for milliseconds, and one that lives for ever', async () => {
  const { email } = await person();
  const short = client((await signIn(email, { tokenTTL: 6000 })).token);
  const long = client((await signIn(email, { tokenTTL: 0 })).token);
  assert.equal((await short.me.get()).email, email);
  await sleep(7200);
  await refused(EXPIRED_TOKEN, () => short.me.get());
  assert.equal((await long.me.get()).email, email);
});

test('ssoDomain is for nobody', async () => {
  assert.equal(await client().auth.ssoDomain({ email: 'someone@example.com' }), '');
  assert.equal(await server.admin.auth.ssoDomain({ email: 'someone@example.com' }), '');
  await refused(validation('email is required'), () => client().auth.ssoDomain());
});

test('me', async () => {
  const someone = await person();
  const me = entity(await someone.client.me.get(), 'me', '/me');
  assert.equal(me.email, someone.email);
  assert.equal(me.userId, someone.userId);
});

test('me patch', async () => {
  const someone = await person();
  const before = await someone.client.me.get();
  const user = {
    firstName: 'Ada',
    lastName: 'L',
    companyName: 'Engines',
    title: 'Countess',
    phoneNumber: '+44 1',
    location: 'London',
    url: 'https://example.com/ada',
  };
  await sleep(10);
  const after = entity(await someone.client.me.patch({ user }), 'me', '/me');
  for (const key of Object.keys(user)) assert.equal(after[key], user[key]);
  assert.ok(after.lastUpdated > before.lastUpdated);
  assert.deepEqual(await someone.client.me.get(), after);
  assert.deepEqual(await someone.client.me.patch(), after);
  for (const [fields, message] of [
    [{ firstName: '' }, 'firstName has less length than allowed'],
    [{ lastName: '' }, 'lastName has less length than allowed'],
    [{ email: 'nobody' }, 'email must be email format'],
    [{ foo: 1 }, 'foo is an additional property'],
  ]) {
    await refused(validation(`user.${message}`), () =>
      someone.client.me.patch({ user: fields }));
  }
  await invalid('user.password ', () =>
    someone.client.me.patch({ user: { password: 'short' } }));
  const other = await person();
  await refused(alreadyExists(other.email), () =>
    someone.client.me.patch({ user: { email: other.email } }));
});

test('change password', async () => {
  const someone = await person();
  const data = { password: GOOD_PASSWORD, newPassword: OTHER_PASSWORD };
  const answer = await someone.client.me.changePassword({ data });
  assert.deepEqual(Object.keys(answer).sort(), ['token', 'userId']);
  assert.equal((await client(answer.token).me.get()).userId, someone.userId);
  // A new password alone does not end what is signed in.
  assert.equal((await someone.client.me.get()).userId, someone.userId);
  await refused(BAD_LOGIN, () => signIn(someone.email));
  const again = await signIn(someone.email, { password: OTHER_PASSWORD });
  assert.equal(again.userId, someone.userId);
});

test('change password and sign out everywhere else', async () => {
  const someone = await person();
  // A cutoff is a whole second: let the old token be of an earlier one.
  await sleep(1100);
  const data = {
    password: GOOD_PASSWORD,
    newPassword: OTHER_PASSWORD,
    invalidateExistingTokens: true,
  };
  const answer = await someone.client.me.changePassword({ data });
  await refused(BAD_TOKEN, () => someone.client.me.get());
  assert.equal((await client(answer.token).me.get()).userId, someone.userId);
});

test('change password refuses', async () => {
  const { client: mine, email } = await person();
  await refused(BAD_OLD_PASSWORD, () =>
    mine.me.changePassword({
      data: { password: 'not the password', newPassword: OTHER_PASSWORD },
    }));
  for (const newPassword of [
    'Sh0rt-word', 'no-upper-case-7', 'NO-LOWER-CASE-7', 'No-Digit-At-All', 'NoSpecial12345',
  ]) {
    await invalid('data.newPassword ', () =>
      mine.me.changePassword({ data: { password: GOOD_PASSWORD, newPassword } }));
  }
  await refused(validation('data.newPassword is required'), () =>
    mine.me.changePassword({ data: { password: GOOD_PASSWORD } }));
  await refused(validation('data.password is required'), () =>
    mine.me.changePassword({ data: { newPassword: OTHER_PASSWORD } }));
  assert.ok(await signIn(email));
});

test('a token is refreshed, for as long again', async () => {
  const someone = await person();
  const first = (await signIn(someone.email, { tokenTTL: 4000 })).token;
  await sleep(1100);
  const answer = await client(first).me.refreshToken();
  assert.deepEqual(Object.keys(answer).sort(), ['token', 'userId']);
  assert.equal(answer.userId, someone.userId);
  assert.notEqual(answer.token, first);
  assert.equal((await client(first).me.get()).userId, someone.userId);
  const lasts = (token) => {
    const { exp, iat } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
    return exp - iat;
  };
  assert.ok(Math.abs(lasts(answer.token) - lasts(first)) <= 1);
  const { token } = await server.admin.me.refreshToken();
  assert.equal(token, server.quickstart.token);
});

test('losant-cli signs in', async () => {
  // What losant-cli sends when it signs in: its steps, by the client that it uses.
  const { email } = await person();
  assert.equal(await client().auth.ssoDomain({ email }), '');
  const more = { twoFactorCode: '', requestedScopes: ['all.User.cli'], tokenTTL: 0 };
  const { token } = await signIn(email, more);
  const url = '/whitelabels/domain';
  const domain = await client(token).request({ method: 'get', url });
  assert.deepEqual(Object.keys(domain).sort(), ['appUrl', 'endpointDomain']);
  assert.equal(domain.appUrl, `http://${domain.endpointDomain}`);
  const wanted = { filterField: 'name', filter: 'Demo' };
  assert.ok((await client(token).applications.get(wanted)).count);
});
