// Source topics that were deleted and made anew under their name since they were mirrored. What such a topic holds is
// another history: it is not joined to the old one unless somebody asks for it.

import type { CommittedOffset } from '../native/index.ts'
import type { SourceTopic } from '../topics/create.ts'
import { decodeCheckpoint } from './checkpoint.ts'
import type { Refusal } from './lane.ts'

export interface RecreatedTopic {
  topic: string
  /** Id of the topic that was mirrored, and of the one that has its name now. */
  was: string
  is: string
}

export class RecreatedTopics {
  /** The first that was seen under each name. */
  readonly #ids = new Map<string, string>()
  readonly #recreated = new Map<string, RecreatedTopic>()

  /** Those that are found to be another topic for the first time. */
  note(topics: readonly SourceTopic[]): RecreatedTopic[] {
    return topics.flatMap(({ topic, id }) => {
      // Brokers before 2.8 have no ids.
      if (id === '') return []
      const was = this.#ids.get(topic) ?? id
      this.#ids.set(topic, was)
      if (was === id) return []
      const isNews = this.#recreated.get(topic)?.is !== id
      const recreated = { topic, was, is: id }
      this.#recreated.set(topic, recreated)
      return isNews ? recreated : []
    })
  }

  /** A commit tells of it. */
  noteSince(recreated: RecreatedTopic): void {
    this.#ids.set(recreated.topic, recreated.was)
    this.#recreated.set(recreated.topic, recreated)
  }

  find(topic: string): RecreatedTopic | undefined {
    return this.#recreated.get(topic)
  }
}

/** The id of another topic that had this one's name when it was mirrored, from the commits of its partitions. */
export function otherTopicId(
  { id }: Pick<SourceTopic, 'id'>,
  commits: readonly CommittedOffset[]
): string | undefined {
  if (id === '') return undefined
  for (const { metadata } of commits) {
    const decoded = decodeCheckpoint(metadata)
    const was = decoded.kind === 'own' ? decoded.checkpoint.sourceTopicId : ''
    if (was !== '' && was !== id) return was
  }
  return undefined
}

/** Why a lane of such a topic does not go on. */
export function refuseRecreated({ topic, was, is }: RecreatedTopic, group: string): Refusal {
  const detail =
    `topic "${topic}" was deleted and made anew on the source (id ${was} was mirrored, now it has ${is}): ` +
    `what it holds is another history, and the two are not joined by themselves. ${acceptRecreated(topic, group)}`
  return { reason: 'topic-recreated', detail }
}

/** What an operator can do about it. */
export function acceptRecreated(topic: string, group: string): string {
  return (
    'To mirror the new topic, stop every mirror of the group, delete or rename the target topic if the histories shall ' +
    `stay apart, run kafka-consumer-groups --delete-offsets --group ${group} --topic ${topic} on the source, and ` +
    'start again: it then begins by auto.offset.reset, behind what the target has'
  )
}
