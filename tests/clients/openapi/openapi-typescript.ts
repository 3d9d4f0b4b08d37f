// The types of openapi-typescript, with the client that goes with them.

import createClient from "openapi-fetch";
import type { paths } from "./schema";
import { roundTrip } from "./round-trip";

declare const process: { env: Record<string, string> };
const { GUESTLIST_URL, GUESTLIST_TOKEN, GUESTLIST_APPLICATION } = process.env;
const applicationId = GUESTLIST_APPLICATION!;
const client = createClient<paths>({
  baseUrl: GUESTLIST_URL!,
  headers: { Authorization: `Bearer ${GUESTLIST_TOKEN}` },
});
const users = "/applications/{applicationId}/experience/users";
const user = "/applications/{applicationId}/experience/users/{experienceUserId}";
const groups = "/applications/{applicationId}/experience/groups";
const group = "/applications/{applicationId}/experience/groups/{experienceGroupId}";
const ofUser = (experienceUserId: string) => ({ path: { applicationId, experienceUserId } });
const ofGroup = (experienceGroupId: string) => ({ path: { applicationId, experienceGroupId } });

async function good<T>(answer: Promise<{ data?: T; error?: unknown }>): Promise<T> {
  const { data, error } = await answer;
  if (data === undefined) throw new Error(JSON.stringify(error));
  return data;
}

await roundTrip(
  {
    makeGroup: (body) => good(client.POST(groups, { params: { path: { applicationId } }, body })),
    group: (id) => good(client.GET(group, { params: ofGroup(id) })),
    changeGroup: (id, { groupTags, experienceUserIds }) =>
      good(client.PATCH(group, { params: ofGroup(id), body: { groupTags, experienceUserIds } })),
    makeUser: (body) => good(client.POST(users, { params: { path: { applicationId } }, body })),
    user: (id) => good(client.GET(user, { params: ofUser(id) })),
    changeUser: (id, body) => good(client.PATCH(user, { params: ofUser(id), body })),
    users: (query) =>
      good(client.GET(users, { params: { path: { applicationId }, query: { query, perPage: 10 } } })),
    refused: async (id) => {
      const params = { ...ofUser(id), header: { "If-Match": '"other"' } };
      return (await client.PATCH(user, { params, body: {} })).response.status;
    },
  },
  "openapi-typescript",
);
