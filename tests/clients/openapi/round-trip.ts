// What every generated client has to do: read a user and a group, and write back what was read.

export type Tags = { [name: string]: string };
export type User = {
  id: string;
  firstName?: string;
  userTags: Tags;
  experienceGroups: { id: string; parentId: string | null }[];
  passwordLastUpdated: string;
};
// Whoever asks for a group without its members gets none.
export type Group = { id: string; groupTags: Tags; experienceUserIds?: string[] };
export type Page = { items: User[]; totalCount: number };

export interface Api {
  makeGroup(body: { name: string; groupTags: Tags }): Promise<Group>;
  group(id: string): Promise<Group>;
  changeGroup(id: string, body: { groupTags: Tags; experienceUserIds?: string[] }): Promise<Group>;
  makeUser(body: {
    email: string;
    password: string;
    userTags: Tags;
    experienceGroupIds: string[];
  }): Promise<User>;
  user(id: string): Promise<User>;
  changeUser(
    id: string,
    body: { firstName?: string; userTags: Tags; experienceGroupIds: string[] },
    ifMatch?: string,
  ): Promise<User>;
  users(query: string): Promise<Page>;
  /** The status of a change under a condition that does not hold. */
  refused(id: string): Promise<number>;
}

function same(found: unknown, wanted: unknown): void {
  const [one, other] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (one !== other) throw new Error(`${one} is not ${other}`);
}

export async function roundTrip(api: Api, name: string): Promise<void> {
  const tags = { "a-b_1": "ä", plan: "gold" };
  const group = await api.makeGroup({ name, groupTags: tags });
  same(group.groupTags, tags);
  const user = await api.makeUser({
    email: `${name}@example.com`,
    password: "correct horse",
    userTags: tags,
    experienceGroupIds: [group.id],
  });
  same(user.userTags, tags);

  const read = await api.user(user.id);
  same(typeof read.passwordLastUpdated, "string");
  const written = await api.changeUser(user.id, {
    firstName: name,
    userTags: read.userTags,
    experienceGroupIds: read.experienceGroups.map((one) => one.id),
  });
  same(written.firstName, name);
  same([written.userTags, written.experienceGroups], [read.userTags, read.experienceGroups]);

  const readGroup = await api.group(group.id);
  const writtenGroup = await api.changeGroup(group.id, readGroup);
  same([writtenGroup.groupTags, writtenGroup.experienceUserIds], [tags, [user.id]]);

  same(await api.refused(user.id), 412);
  const page = await api.users(JSON.stringify({ email: `${name}@example.com` }));
  same([page.items.map((one) => one.id), page.totalCount], [[user.id], 1]);
}
