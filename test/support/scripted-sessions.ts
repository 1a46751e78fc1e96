// Owns what a scripted broker remembers of its clients' Fetch requests (KIP-227), to tell them only what is new.

import type { FetchedPartition } from './scripted-answers.ts'
import type { FetchRequest } from './scripted-requests.ts'

type Place = { topic: string; partition: number }
export type Asked = Place & { offset: number; maxBytes: number }

type Session = { epoch: number; asked: Map<string, Asked>; toldEnds: Map<string, unknown> }

const sessionNotFound = 70
const invalidEpoch = 71

/** An error, or the session's id (0 for none), all that is asked for in it, and whether an answer is worth telling. */
type Turn =
  | { error: number }
  | { id: number; asked: Asked[]; hasNews(asked: Asked, found: FetchedPartition): boolean }

export class ScriptedSessions {
  readonly #sessions = new Map<number, Session>()
  #nextId = 1

  /** As a broker that has too many. */
  forget(): void {
    this.#sessions.clear()
  }

  take(
    { sessionId, sessionEpoch }: Pick<FetchRequest, 'sessionId' | 'sessionEpoch'>,
    named: readonly Asked[],
    forgotten: readonly Place[]
  ): Turn {
    if (sessionEpoch < 0) return withoutSession(named)
    const id = sessionEpoch === 0 ? this.#nextId++ : sessionId
    if (sessionEpoch === 0) {
      this.#sessions.set(id, { epoch: 0, asked: new Map(), toldEnds: new Map() })
    }
    const session = this.#sessions.get(id)
    if (session === undefined) return { error: sessionNotFound }
    if (session.epoch !== sessionEpoch) return { error: invalidEpoch }
    session.epoch++
    const { asked, toldEnds } = session
    for (const each of named) asked.set(keyOf(each), each)
    for (const gone of forgotten) {
      asked.delete(keyOf(gone))
      toldEnds.delete(keyOf(gone))
    }
    return {
      id,
      asked: [...asked.values()],
      hasNews(each, { records, highWatermark, error }) {
        const isNew = toldEnds.get(keyOf(each)) !== highWatermark
        toldEnds.set(keyOf(each), highWatermark)
        return isNew || error !== 0 || (records?.length ?? 0) > 0
      }
    }
  }
}

export function withoutSession(named: readonly Asked[]): Extract<Turn, { id: number }> {
  return { id: 0, asked: [...named], hasNews: () => true }
}

function keyOf({ topic, partition }: Place): string {
  return `${topic}-${partition}`
}
