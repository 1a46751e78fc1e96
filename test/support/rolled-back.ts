// Owns the state that a crash leaves behind, without a crash: the group's commits are those of an earlier moment, and
// the target has what came after them.

import { withClient } from './raw-client.ts'
import type { CommittedOffset } from './raw-groups.ts'

/** What a group has committed, to be put back later. */
export async function readCommits(bootstrap: string, group: string): Promise<CommittedOffset[]> {
  return withClient(bootstrap, client => client.groups.offsetFetch(group))
}

/** Puts commits back as they were, metadata and all; the group must have no member. */
export async function putBack(
  bootstrap: string,
  group: string,
  commits: readonly CommittedOffset[]
): Promise<void> {
  return withClient(bootstrap, async client => {
    await client.groups.offsetCommit(group, [...commits])
  })
}
