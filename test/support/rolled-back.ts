// Owns the state that a crash leaves behind, without a crash: the group's commits are those of an earlier moment, and
// the target has what came after them.

import { RawClient } from './raw-client.ts'
import type { CommittedOffset } from './raw-groups.ts'

/** What a group has committed, to be put back later. */
export async function readCommits(bootstrap: string, group: string): Promise<CommittedOffset[]> {
  const client = new RawClient(bootstrap)
  try {
    return await client.groups.offsetFetch(group)
  } finally {
    client.close()
  }
}

/** Puts commits back as they were, metadata and all; the group must have no member. */
export async function putBack(
  bootstrap: string,
  group: string,
  commits: readonly CommittedOffset[]
): Promise<void> {
  const client = new RawClient(bootstrap)
  try {
    await client.groups.offsetCommit(group, [...commits])
  } finally {
    client.close()
  }
}
