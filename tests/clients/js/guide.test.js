'use strict';
// The login of the guide, as it is printed there.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { after, before, test } = require('node:test');

const { World, ready, server } = require('./harness');

const GUIDE = path.join(__dirname, '..', '..', '..', 'docs', 'guide', 'sign-in.md');
const EMAIL = 'ann@example.com';
const PASSWORD = 'correct horse';

let backend;
let port;

/** A port that nobody listens on. */
const free = () =>
  new Promise((resolve) => {
    const probe = http.createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });

before(async () => {
  await ready();
  const world = await World.make();
  await world.user({ email: EMAIL, password: PASSWORD });
  const apiToken = { name: 'backend', scope: ['experienceAuth.*'] };
  const { token } = await server.admin.applicationApiTokens.post({ ...world.ids, apiToken });
  const [, source] = /```javascript\n([\s\S]*?)```/.exec(fs.readFileSync(GUIDE, 'utf8'));
  const file = path.join(server.directory, 'backend.js');
  fs.writeFileSync(file, source);
  port = await free();
  backend = spawn(process.execPath, [file], {
    env: {
      ...process.env,
      NODE_PATH: path.dirname(path.dirname(require.resolve('express'))),
      GUESTLIST: server.url,
      APPLICATION: world.app,
      TOKEN: token,
      PORT: String(port),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  for (;;) {
    try {
      await fetch(`http://127.0.0.1:${port}/`);
      return;
    } catch {
      assert.equal(backend.exitCode, null, 'the backend of the guide has ended');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
});

after(() => backend?.kill());

test('the login of the guide', async () => {
  const home = (cookie) => fetch(`http://127.0.0.1:${port}/`, { headers: cookie ? { cookie } : {} });
  const login = (password, cookie) =>
    fetch(`http://127.0.0.1:${port}/login`, {
      method: 'POST',
      headers: cookie ? { cookie } : {},
      body: new URLSearchParams({ email: EMAIL, password }),
      redirect: 'manual',
    });
  assert.equal((await home()).status, 401);
  assert.equal((await login('wrong horse')).status, 401);
  const answer = await login(PASSWORD);
  assert.deepEqual([answer.status, answer.headers.get('location')], [302, '/']);
  const cookies = answer.headers.getSetCookie();
  for (const cookie of cookies) {
    for (const word of ['HttpOnly', 'Secure', 'SameSite=Lax']) assert.ok(cookie.includes(word));
  }
  const kept = cookies.map((cookie) => cookie.split(';')[0]);
  assert.deepEqual(kept.map((cookie) => cookie.split('=')[0]), ['user', 'device']);
  const again = await login(PASSWORD, kept[1]);
  assert.ok(again.headers.getSetCookie()[1].startsWith(`${kept[1]};`), 'the device stays the same');
  const welcome = await home(kept.join('; '));
  assert.equal(await welcome.text(), `Hello ${EMAIL}`);
});
