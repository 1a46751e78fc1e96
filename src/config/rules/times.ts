// Whether times fit together that librdkafka or the brokers compare: they would say so long after the start.

import { addNote, addProblem, type Draft, setConnection, setGroup } from './rule.ts'

export function checkTimes(draft: Draft): void {
  checkGroupTimes(draft)
  orderBackoffs(draft)
}

function checkGroupTimes(draft: Draft): void {
  if (draft.group.get('group.protocol') === 'consumer') return
  const session = number(draft.group.get('session.timeout.ms'))
  const poll = number(draft.group.get('max.poll.interval.ms'))
  const heartbeat = number(draft.group.get('heartbeat.interval.ms'))
  const setting = draft.given.get('session.timeout.ms')
  if (session !== undefined && heartbeat !== undefined && heartbeat >= session && setting) {
    const set = `Set session.timeout.ms to three times heartbeat.interval.ms, ${3 * heartbeat}`
    addProblem(draft, setting, `${session} is not longer than heartbeat.interval.ms. ${set}`)
  }
  // 300 s is what librdkafka takes where nobody says anything.
  if (setting && session !== undefined && poll === undefined && session > 300_000) {
    setGroup(draft, setting, 'max.poll.interval.ms', String(session))
    addNote(draft, 'info', setting, `max.poll.interval.ms raised to ${session} with it`)
  }
  const pollSetting = draft.given.get('max.poll.interval.ms')
  // What complete.ts sets for a member that names none.
  const least = session ?? Math.max(6_000, 3 * (heartbeat ?? 2_000))
  if (poll !== undefined && poll < least && pollSetting) {
    const what = `${poll} is shorter than session.timeout.ms, ${least}`
    addProblem(draft, pollSetting, `${what}. Set 300000, the default`)
  }
}

// As in Java: the longest wait is never shorter than the first. Where nothing is said the first is 100 ms.
function orderBackoffs(draft: Draft): void {
  for (const [name, longestDefault] of [
    ['reconnect.backoff', 1_000],
    ['retry.backoff', 1_000]
  ] as const) {
    const first = draft.given.get(`${name}.ms`)
    const longest = draft.given.get(`${name}.max.ms`)
    const firstMs = number(draft.connection.get(`${name}.ms`)) ?? 100
    const longestMs = number(draft.connection.get(`${name}.max.ms`)) ?? longestDefault
    if (longestMs >= firstMs) continue
    if (first) {
      setConnection(draft, first, `${name}.max.ms`, String(firstMs))
      addNote(draft, 'info', first, `${name}.max.ms raised to ${firstMs} with it`)
    } else if (longest) {
      setConnection(draft, longest, `${name}.ms`, String(longestMs))
      addNote(draft, 'info', longest, `${name}.ms lowered to ${longestMs} with it`)
    }
  }
}

function number(value: string | undefined): number | undefined {
  return value === undefined ? undefined : Number(value)
}
