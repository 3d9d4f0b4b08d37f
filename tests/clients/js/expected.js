'use strict';
// What the server is expected to say: every string, status and set of keys, in one place.

const assert = require('node:assert/strict');

const ID = /^[0-9a-f]{24}$/;
const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

// Of the form that an id has, and of no thing.
const NOTHING = '0123456789abcdef01234567';

const GOOD_PASSWORD = 'Correct-Horse-7-Battery';
const OTHER_PASSWORD = 'Another-Horse-8-Battery';

const refusal = (statusCode, type, message) => ({ statusCode, type, message });
const validation = (message) => refusal(400, 'Validation', message);
const alreadyExists = (email) =>
  refusal(409, 'AlreadyExists', `Email address "${email}" already exists`);
const noRoute = (path) => refusal(404, 'NotFound', `${path} does not exist`);
const noMethod = (method) => refusal(405, 'MethodNotAllowed', `${method} is not allowed`);

const BAD_TOKEN = refusal(401, 'Unauthorized', 'Invalid access token');
const EXPIRED_TOKEN = refusal(401, 'Unauthorized', 'Access token has expired');
const BAD_LOGIN = refusal(401, 'Unauthorized', 'Unauthorized');
const BAD_OLD_PASSWORD = refusal(401, 'Unauthorized', 'Unauthorized');
const FORBIDDEN = refusal(403, 'Forbidden', 'Access is forbidden');
const NO_APPLICATION = refusal(404, 'NotFound', 'Application was not found');
const NO_USER = refusal(404, 'NotFound', 'Experience user was not found');
const NO_GROUP = refusal(404, 'NotFound', 'Experience group was not found');
const NO_TOKEN = refusal(404, 'NotFound', 'API token was not found');

const SUCCESS = { success: true };
const PAYLOAD_TOO_LARGE = { statusCode: 413, type: 'PayloadTooLarge' };

const USER_SORT_FIELDS = [
  'firstName', 'lastName', 'email', 'id', 'creationDate', 'lastLogin', 'lastUpdated',
];
const GROUP_SORT_FIELDS = ['name', 'id', 'creationDate', 'lastUpdated'];
const APPLICATION_SORT_FIELDS = ['name', 'id', 'creationDate', 'ownerId', 'lastUpdated'];
const TOKEN_SORT_FIELDS = [
  'name', 'status', 'id', 'creationDate', 'lastUpdated', 'expirationDate',
];

const PAGE = ['items', 'count', 'totalCount', 'page', 'perPage', 'sortField', 'sortDirection'];
const ECHOES = ['filter', 'filterField'];
const TOKEN = [
  'id', 'apiTokenId', 'ownerId', 'ownerType', 'creatorId', 'creatorType', 'creatorName', 'name',
  'creationDate', 'lastUpdated', 'scope', 'status',
];

// By `_type`: the keys that are always there, and those that may be.
const KEYS = {
  experienceUser: [
    ['id', 'experienceUserId', 'applicationId', 'creationDate', 'lastUpdated',
      'passwordLastUpdated', 'email', 'avatarUrl', 'userTags', 'experienceGroups'],
    ['firstName', 'lastName', 'tokenCutoff', 'lastLogin'],
  ],
  experienceUsers: [[...PAGE, 'applicationId'], [...ECHOES, 'experienceGroupId']],
  experienceGroup: [
    ['id', 'experienceGroupId', 'applicationId', 'creationDate', 'lastUpdated', 'name',
      'parentId', 'ancestorIds', 'experienceUserIds', 'groupTags'],
    ['description', 'experienceEndpointIds', 'deviceIds', 'deviceTags', 'deviceQueryJson',
      'directDeviceCount', 'totalDeviceCount'],
  ],
  experienceGroups: [[...PAGE, 'applicationId'], ECHOES],
  application: [
    ['id', 'applicationId', 'creationDate', 'lastUpdated', 'name', 'ownerId', 'ownerType'],
    ['description', 'organizationName', 'endpointSlug', 'expUserTokenCutoff', 'globals',
      'endpointDefaultCors', 'appliedTemplateIds', 'ftueTracking', 'archiveConfig',
      'blobUrlTTL', 'summary'],
  ],
  applications: [PAGE, ECHOES],
  applicationApiToken: [TOKEN, ['description', 'expirationDate', 'token']],
  applicationApiTokens: [[...PAGE, 'ownerId', 'ownerType'], ECHOES],
  userApiToken: [TOKEN, ['description', 'expirationDate', 'token', 'defaultRole', 'orgRoles']],
  userApiTokens: [[...PAGE, 'ownerId', 'ownerType'], ECHOES],
  me: [
    ['id', 'userId', 'creationDate', 'lastUpdated', 'email'],
    ['passwordLastUpdated', 'firstName', 'lastName', 'companyName', 'title', 'phoneNumber',
      'location', 'url', 'tokenCutoff', 'emailVerified', 'needsToVerifyEmail',
      'twoFactorAuthEnabled', 'fullName', 'avatarUrl', 'limits', 'summary', 'ssoLinked'],
  ],
};
// The keys that name the same id as `id` does.
const OWN_ID = {
  experienceUser: 'experienceUserId',
  experienceGroup: 'experienceGroupId',
  application: 'applicationId',
  applicationApiToken: 'apiTokenId',
  userApiToken: 'apiTokenId',
  me: 'userId',
};
const NULLABLE = ['parentId', 'deviceQueryJson'];
const DATES = [
  'creationDate', 'lastUpdated', 'passwordLastUpdated', 'lastLogin', 'tokenCutoff',
  'expirationDate', 'expUserTokenCutoff',
];

/** Checks all of a body but the values that only the test knows, and gives it back. */
function entity(body, type, href, more = false, before = false) {
  const always = [...KEYS[type][0], '_type', '_links'];
  const allowed = [...always, ...KEYS[type][1]];
  assert.deepEqual(always.filter((key) => !(key in body)), [], 'missing keys');
  assert.deepEqual(Object.keys(body).filter((key) => !allowed.includes(key)), [], 'more keys');
  assert.equal(body._type, type);
  const { next, previous, ...links } = body._links;
  assert.deepEqual(links, { self: { href } });
  assert.equal(next !== undefined && next.href.startsWith(`${href}?`), more);
  assert.equal(previous !== undefined && previous.href.startsWith(`${href}?`), before);
  for (const [key, value] of Object.entries(body)) {
    assert.ok(value !== null || NULLABLE.includes(key), `${key} is null`);
    if (DATES.includes(key)) assert.match(value, DATE, key);
  }
  if (OWN_ID[type]) {
    assert.match(body.id, ID);
    assert.equal(body.id, body[OWN_ID[type]]);
    assert.ok(body.creationDate <= body.lastUpdated);
  }
  return body;
}

/** Checks a collection and gives back its items. */
function page(body, type, href, total, count = total) {
  const seen = body.page * body.perPage + body.items.length;
  const more = body.items.length > 0 && seen < total;
  entity(body, type, href, more, total > 0 && body.page > 0);
  assert.equal(body.items.length, count);
  assert.equal(body.count, count);
  assert.equal(body.totalCount, total);
  for (const key of ['count', 'totalCount', 'page', 'perPage']) {
    assert.equal(typeof body[key], 'number', key);
  }
  return body.items;
}

module.exports = {
  ID, NOTHING, GOOD_PASSWORD, OTHER_PASSWORD, validation, alreadyExists, noRoute, noMethod,
  BAD_TOKEN, EXPIRED_TOKEN, BAD_LOGIN, BAD_OLD_PASSWORD, FORBIDDEN, NO_APPLICATION, NO_USER,
  NO_GROUP, NO_TOKEN, SUCCESS, PAYLOAD_TOO_LARGE, USER_SORT_FIELDS, GROUP_SORT_FIELDS,
  APPLICATION_SORT_FIELDS, TOKEN_SORT_FIELDS, entity, page,
};
