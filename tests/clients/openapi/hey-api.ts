// The client that @hey-api/openapi-ts makes.

import { client } from "./client/client.gen";
import * as api from "./client";
import { roundTrip } from "./round-trip";

declare const process: { env: Record<string, string> };
const { GUESTLIST_URL, GUESTLIST_TOKEN, GUESTLIST_APPLICATION } = process.env;
const applicationId = GUESTLIST_APPLICATION!;
client.setConfig({ baseUrl: GUESTLIST_URL!, auth: () => GUESTLIST_TOKEN! });
const path = { applicationId };
const ofUser = (experienceUserId: string) => ({ applicationId, experienceUserId });
const ofGroup = (experienceGroupId: string) => ({ applicationId, experienceGroupId });

async function good<T>(answer: Promise<{ data?: T; error?: unknown }>): Promise<T> {
  const { data, error } = await answer;
  if (data === undefined) throw new Error(JSON.stringify(error));
  return data;
}

await roundTrip(
  {
    makeGroup: (body) => good(api.experienceGroupsPost({ path, body })),
    group: (id) => good(api.experienceGroupGet({ path: ofGroup(id) })),
    changeGroup: (id, { groupTags, experienceUserIds }) =>
      good(api.experienceGroupPatch({ path: ofGroup(id), body: { groupTags, experienceUserIds } })),
    makeUser: (body) => good(api.experienceUsersPost({ path, body })),
    user: (id) => good(api.experienceUserGet({ path: ofUser(id) })),
    changeUser: (id, body) => good(api.experienceUserPatch({ path: ofUser(id), body })),
    users: (query) => good(api.experienceUsersGet({ path, query: { query, perPage: 10 } })),
    refused: async (id) => {
      const headers = { "If-Match": '"other"' };
      const answer = await api.experienceUserPatch({ path: ofUser(id), headers, body: {} });
      return answer.response!.status;
    },
  },
  "hey-api",
);
