'use strict';
// A Guestlist server for the tests of one file, and what they ask of it besides the official
// client. Each file runs in a process of its own, so each has its own server and store.

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const { after, before } = require('node:test');

const { createClient } = require('losant-rest');
const expected = require('./expected');

// A proxy of the machine must not see requests to this one.
process.env.NO_PROXY = '*';

// Generous: the first start of a server hashes the passwords of its demo users.
const START_MS = 90_000;
const STOP_MS = 15_000;

/** The server of this file: its parts are there once the tests run. */
const server = {};

const start = async () => {
  const binary = process.env.GUESTLIST_BIN;
  assert.ok(binary, 'GUESTLIST_BIN must name the guestlist binary');
  server.binary = binary;
  server.directory = fs.mkdtempSync(path.join(os.tmpdir(), 'guestlist-'));
  server.store = path.join(server.directory, 'guestlist.db');
  server.log = path.join(server.directory, 'server.log');
  const log = fs.openSync(server.log, 'w');
  server.process = spawn(
    binary,
    ['quickstart', '--json', '--listen', '127.0.0.1:0', '--store', server.store],
    { stdio: ['ignore', 'pipe', log] },
  );
  fs.closeSync(log);
  server.ended = new Promise((resolve) => {
    server.process.on('error', resolve);
    server.process.on('exit', (code, signal) => resolve(code ?? signal));
  });
  await Promise.race([
    started(),
    server.ended.then((how) => Promise.reject(new Error(`the server ended: ${how}${logTail()}`))),
    sleep(START_MS, true).then(() => Promise.reject(new Error(`no server in time${logTail()}`))),
  ]);
  server.admin = client(server.quickstart.token);
};

// A hook of a test file awaits this too: hooks of one level may run at the same time.
let starting;
const ready = () => (starting ??= start());
before(ready);

after(async () => {
  if (!server.process) return;
  server.process.kill('SIGTERM');
  const how = await Promise.race([server.ended, sleep(STOP_MS, true).then(() => 'not in time')]);
  if (how === 'not in time') server.process.kill('SIGKILL');
  const tail = logTail();
  fs.rmSync(server.directory, { recursive: true, force: true });
  assert.equal(how, 0, `the server ended: ${how}${tail}`);
});

async function started() {
  const lines = readline.createInterface({ input: server.process.stdout });
  await new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      try {
        const said = JSON.parse(line);
        server.quickstart ??= said;
        if (said.ready) resolve();
      } catch (error) {
        reject(error);
      }
    });
  });
  server.url = server.quickstart.url.replace(/\/$/, '');
}

function logTail() {
  return `\nthe server's log ends\n${fs.readFileSync(server.log, 'utf8').slice(-4000)}`;
}

/** Waits. With `idle`, the wait alone does not keep the process alive. */
function sleep(ms, idle = false) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    if (idle) timer.unref();
  });
}

/** The official client, with nothing changed but the URL and the token. */
function client(accessToken, more = {}) {
  return createClient({ accessToken, url: server.url, ...more });
}

/** Makes an administrator on the command line, beside the running server. */
function adminCreate(email, password) {
  const made = spawnSync(
    server.binary,
    ['admin', 'create', '--email', email, '--store', server.store, '--json'],
    { input: `${password}\n`, encoding: 'utf8', timeout: 60_000 },
  );
  assert.equal(made.status, 0, made.stderr);
  return JSON.parse(made.stdout);
}

let people = 0;

/** A client that is signed in as a new administrator. */
async function person() {
  const email = `person${people++}@example.com`;
  adminCreate(email, expected.GOOD_PASSWORD);
  const credentials = { email, password: expected.GOOD_PASSWORD };
  const { token, userId } = await client().auth.authenticateUser({ credentials });
  return { email, userId, client: client(token) };
}

/** The call fails with this status and exactly this body. */
async function refused(refusal, call) {
  const error = await failure(call);
  const { statusCode, type, message, ...more } = { ...error, message: error.message };
  assert.deepEqual({ statusCode, type, message }, refusal);
  assert.deepEqual(more, {});
}

/** The call fails with a validation error whose message starts so. */
async function invalid(start, call) {
  const error = await failure(call);
  assert.equal(error.statusCode, 400, error.message);
  assert.equal(error.type, 'Validation');
  assert.ok(error.message.startsWith(start), error.message);
  return error;
}

async function failure(call) {
  let answer;
  try {
    answer = await call();
  } catch (error) {
    // Anything without a status is not the server's word.
    if (error.statusCode === undefined) throw error;
    return error;
  }
  return assert.fail(`not refused: ${JSON.stringify(answer)?.slice(0, 500)}`);
}

/** One HTTP request that is exactly this, for what the client cannot send. */
function raw(method, target, { token, headers = {}, body } = {}) {
  const sent = { ...headers };
  if (token) sent.Authorization = `Bearer ${token}`;
  return new Promise((resolve, reject) => {
    const request = http.request(server.url + target, { method, headers: sent, agent: false });
    request.on('error', reject);
    request.on('response', (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => {
        const text = Buffer.concat(parts).toString();
        const answer = { statusCode: response.statusCode, headers: response.headers, text };
        if (text) answer.body = JSON.parse(text);
        resolve(answer);
      });
    });
    request.end(body);
  });
}

/** An application of its own for a test, and ways to put things into it. */
class World {
  static async make(name = 'test') {
    const world = new World();
    world.admin = server.admin;
    world.app = (await world.admin.applications.post({ application: { name } })).applicationId;
    world.ids = { applicationId: world.app };
    world.url = `/applications/${world.app}`;
    world.count = 0;
    return world;
  }

  drop() {
    return this.admin.application.delete(this.ids);
  }

  user(fields = {}) {
    const email = `user${++this.count}@example.com`;
    const experienceUser = { email, password: 'correct horse', ...fields };
    return this.admin.experienceUsers.post({ ...this.ids, experienceUser });
  }

  getUser(experienceUserId, more = {}) {
    return this.admin.experienceUser.get({ ...this.ids, experienceUserId, ...more });
  }

  patchUser(experienceUserId, experienceUser) {
    return this.admin.experienceUser.patch({ ...this.ids, experienceUserId, experienceUser });
  }

  users(params = {}) {
    return this.admin.experienceUsers.get({ ...this.ids, ...params });
  }

  group(name = 'group', fields = {}) {
    const experienceGroup = { name, ...fields };
    return this.admin.experienceGroups.post({ ...this.ids, experienceGroup });
  }

  getGroup(experienceGroupId, more = {}) {
    return this.admin.experienceGroup.get({ ...this.ids, experienceGroupId, ...more });
  }

  patchGroup(experienceGroupId, experienceGroup) {
    return this.admin.experienceGroup.patch({ ...this.ids, experienceGroupId, experienceGroup });
  }

  groups(params = {}) {
    return this.admin.experienceGroups.get({ ...this.ids, ...params });
  }

  token(fields = {}) {
    const apiToken = { name: 'token', ...fields };
    return this.admin.applicationApiTokens.post({ ...this.ids, apiToken });
  }

  /** A client with an application token that has this scope. */
  async client(...scope) {
    return client((await this.token({ scope })).token);
  }
}

/** Runs `test` with an application of its own, so that no test sees what another one made. */
function inWorld(test) {
  return async () => {
    const world = await World.make();
    await test(world);
    await world.drop();
  };
}

/** Sorts by a key, without regard to case. */
function by(key, direction = 'asc') {
  const sign = direction === 'asc' ? 1 : -1;
  return (a, b) => {
    const [x, y] = [a[key].toLowerCase(), b[key].toLowerCase()];
    return x < y ? -sign : x > y ? sign : 0;
  };
}

module.exports = {
  server, ready, client, person, refused, invalid, failure, raw, sleep, World, inWorld, by,
};
