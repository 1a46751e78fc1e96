// What a lane does after each answer to a Produce or a Fetch: the target keeps a real one's rules for sequences, so
// that a batch that is lost, doubled or overtaken is seen.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LaneReason } from '../../src/native/index.ts'
import {
  type Fleet,
  type FleetCase,
  healthy,
  openFleet,
  recordsEach
} from '../support/answer-fleet.ts'
import { readBatchHeader } from '../support/batch-header.ts'
import { api, type FetchAnswer, type ProduceAnswer } from '../support/scripted-answers.ts'
import type { Call, Script } from '../support/scripted-broker.ts'
import { openScriptedLink } from '../support/scripted-link.ts'
import { waitFor } from '../support/wait.ts'

type Tries = 'once' | 'thrice' | 'for ever'
const triesOf: Record<Tries, number> = {
  once: 1,
  thrice: 3,
  'for ever': Number.POSITIVE_INFINITY
}

// Kafka's name, its code, and how a lane is to name what it waits for. What is appended all the same is in doubt.
const passing: readonly [string, number, LaneReason, isInDoubt?: boolean][] = [
  ['UNKNOWN_TOPIC_OR_PARTITION', 3, 'unknown-topic'],
  ['LEADER_NOT_AVAILABLE', 5, 'not-leader'],
  ['NOT_LEADER_OR_FOLLOWER', 6, 'not-leader', true],
  ['REQUEST_TIMED_OUT', 7, 'broker-error', true],
  ['BROKER_NOT_AVAILABLE', 8, 'broker-error'],
  ['REPLICA_NOT_AVAILABLE', 9, 'not-leader'],
  ['NETWORK_EXCEPTION', 13, 'broker-error', true],
  ['NOT_ENOUGH_REPLICAS', 19, 'not-enough-replicas'],
  ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 20, 'not-enough-replicas', true],
  ['KAFKA_STORAGE_ERROR', 56, 'not-leader', true],
  ['FENCED_LEADER_EPOCH', 74, 'not-leader'],
  ['UNKNOWN_LEADER_EPOCH', 75, 'not-leader'],
  ['THROTTLING_QUOTA_EXCEEDED', 89, 'throttled']
]
const forbidden: readonly [string, number][] = [
  ['INVALID_TOPIC_EXCEPTION', 17],
  ['TOPIC_AUTHORIZATION_FAILED', 29],
  ['CLUSTER_AUTHORIZATION_FAILED', 31],
  ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 53]
]
const final: readonly [string, number, LaneReason][] = [
  ['UNKNOWN_SERVER_ERROR', -1, 'refused'],
  ['CORRUPT_MESSAGE', 2, 'refused'],
  ['MESSAGE_TOO_LARGE', 10, 'too-large'],
  ['RECORD_LIST_TOO_LARGE', 18, 'too-large'],
  ['INVALID_TIMESTAMP', 32, 'timestamp-range'],
  ['POLICY_VIOLATION', 44, 'refused'],
  ['INVALID_PRODUCER_EPOCH', 47, 'fenced'],
  ['INVALID_TXN_STATE', 48, 'refused'],
  ['UNSUPPORTED_COMPRESSION_TYPE', 76, 'codec-unsupported'],
  ['INVALID_RECORD', 87, 'refused'],
  ['PRODUCER_FENCED', 90, 'fenced'],
  ['TRANSACTION_ABORTABLE', 120, 'refused'],
  ['a code of the future', 999, 'refused']
]

/** Answers so many Produce requests with a code, before or after the append. */
function answering(code: number, times: number, isAppended = false): Script {
  if (!isAppended) return { refuse: ({ nth }) => (nth < times ? code : 0) }
  return {
    produce: call => {
      if (call.nth < times) spoilProduce(call.answer, code)
      return { body: call.encode(call.answer).bytes }
    }
  }
}

function spoilProduce(answer: ProduceAnswer, code: number): void {
  for (const partition of answer.topics.flatMap(({ partitions }) => partitions)) {
    partition.error = code
    partition.baseOffset = -1
  }
}

async function assertArrived(fleet: Fleet, name: string): Promise<void> {
  await fleet.untilAllArrived(name)
  assert.deepEqual(fleet.target(name).values, fleet.sourceValues(name), name)
}

const rounds: Tries[] = ['once', 'thrice']

test('F5: after a passing error everything arrives, in order and once', async t => {
  const cases = passing.flatMap(([name, code, , isInDoubt = false]) =>
    rounds.flatMap(tries =>
      (isInDoubt ? [false, true] : [false]).map(
        (isAppended): FleetCase => ({
          name: `${name} ${tries}${isAppended ? ' after the append' : ''}`,
          target: answering(code, triesOf[tries], isAppended)
        })
      )
    )
  )
  const fleet = await openFleet(t, { cases })
  for (const { name } of cases) await assertArrived(fleet, name)
  for (const { name } of cases.filter(each => each.name.endsWith('append'))) {
    assert.ok(
      fleet.target(name).received.some(({ isRepeat }) => isRepeat),
      name
    )
  }
  await assertArrived(fleet, healthy)
})

test('F5: an error that does not pass is named, and asked again ever more rarely', async t => {
  const cases = [
    ...passing.map(([name, code]) => ({ name, target: answering(code, triesOf['for ever']) })),
    ...forbidden.map(([name, code]) => ({ name, target: answering(code, triesOf['for ever']) }))
  ]
  const fleet = await openFleet(t, { cases })
  const named: [string, number, LaneReason][] = [
    ...passing.map(([name, code, reason]): [string, number, LaneReason] => [name, code, reason]),
    ...forbidden.map(([name, code]): [string, number, LaneReason] => [name, code, 'not-allowed'])
  ]
  await assertArrived(fleet, healthy)
  for (const [name, code, reason] of named) {
    const isNamed = () => fleet.facts(name).reason === reason && fleet.facts(name).code === code
    await waitFor(`${name} to be named`, isNamed, {
      describe: () => JSON.stringify(fleet.facts(name))
    })
    assert.deepEqual([fleet.facts(name).checkpoint, fleet.facts(name).records], [0, 0], name)
    // Delays double from 100 ms on: a reason is told once a delay has reached a second, after some five tries.
    const asked = fleet.opened.target.requests(fleet.place(name), api.produce)
    assertRare(asked, fleet, name)
  }
})

/** A few at first, then one every two seconds at most. */
function assertRare(asked: number, { openedAtMs }: Fleet, name: string): void {
  const seconds = (performance.now() - openedAtMs) / 1_000
  assert.ok(asked <= 8 + seconds, `${name}: ${asked} requests within ${seconds} s`)
}

test('F5: a right that comes back is found without help', async t => {
  const cases = forbidden.map(([name, code]) => ({ name, target: answering(code, 1) }))
  const fleet = await openFleet(t, { cases })
  for (const { name } of cases) await assertArrived(fleet, name)
})

test('F5: F7: a final error stops the lane with its reason, and what was acknowledged before counts', async t => {
  const second = recordsEach
  const cases = final.map(([name, code]) => ({
    name,
    target: refusingSequence(second, code, Number.POSITIVE_INFINITY)
  }))
  const fleet = await openFleet(t, { cases })
  for (const [name, code, reason] of final) {
    const lane = await fleet.untilStopped(name)
    assert.deepEqual([lane.reason, lane.code, lane.checkpoint], [reason, code, second], name)
    assert.deepEqual(fleet.target(name).values, fleet.sourceValues(name).slice(0, second), name)
  }
  await assertArrived(fleet, healthy)
})

/** Refuses the batch that begins with this sequence. Answers are late, so that the window behind it is full. */
function refusingSequence(sequence: number, code: number, times = 1): Script {
  let left = times
  return {
    produce: ({ answer, encode }) => ({ body: encode(answer).bytes, delayMs: 10 }),
    refuse: ({ bytes }) => {
      if (readBatchHeader(bytes).baseSequence !== sequence || left === 0) return 0
      left--
      return code
    }
  }
}

const window = 5
const batches = 12
// The first batch on a fresh partition flies alone; the five behind it fly together.
const placesInWindow = Array.from({ length: window }, (_, place) => place + 1)

test('F3: a refused batch of the window is sent again before what is behind it', async t => {
  const cases = placesInWindow.map(place => ({
    name: `batch ${place}`,
    target: refusingSequence(place * recordsEach, 6)
  }))
  const fleet = await openFleet(t, { cases, batches })
  for (const { name } of cases) await assertArrived(fleet, name)
  for (const { name } of cases) {
    assert.ok(
      fleet.target(name).received.some(({ error }) => error === 45),
      `${name}: nothing was in flight behind it`
    )
  }
})

test('T17: the first batch of a fresh partition flies alone until it is there', async t => {
  const asked: number[] = []
  const refuse: Script['refuse'] = ({ bytes, nth }) => {
    asked.push(readBatchHeader(bytes).baseSequence)
    return nth < 2 ? 6 : 0
  }
  const produce: Script['produce'] = ({ answer, encode }) => ({
    body: encode(answer).bytes,
    delayMs: 20
  })
  const fleet = await openFleet(t, {
    cases: [{ name: 'fresh', target: { refuse, produce } }],
    batches
  })
  await assertArrived(fleet, 'fresh')
  assert.deepEqual(asked.slice(0, 4), [0, 0, 0, recordsEach])
})

test('F6: F7: a target that forgets the sequence in mid-window ends the lane, to be begun anew', async t => {
  const cases = placesInWindow.flatMap(place =>
    [45, 59].map(code => ({
      name: `${code} at batch ${place}`,
      target: refusingSequence(place * recordsEach, code, Number.POSITIVE_INFINITY),
      place,
      code
    }))
  )
  const fleet = await openFleet(t, { cases, batches, start: { resumes: true } })
  for (const { name, place, code } of cases) {
    const isTold = () =>
      fleet.opened.told(fleet.laneOf(name)).some(event => event.type === 'lane-needs-resume')
    await waitFor(`${name} to ask for a resume`, isTold)
    const told = fleet.opened.told(fleet.laneOf(name)).filter(({ type }) => type !== 'lane-stopped')
    assert.ok(
      told.every(event => event.type !== 'producer-id-reset'),
      name
    )
    assert.equal(
      told.find(event => event.type === 'lane-needs-resume'),
      told.at(-1)
    )
    assert.equal(fleet.facts(name).checkpoint, place * recordsEach, name)
    const { values } = fleet.target(name)
    assert.deepEqual(values, fleet.sourceValues(name).slice(0, values.length), name)
    assert.ok(values.length <= place * recordsEach, `${name}: something went past the refusal`)
    assert.ok([45, 59].includes(code))
  }
})

test('F7: a fenced lane commits nothing more', async t => {
  const cases = placesInWindow.flatMap(place =>
    [47, 90].map(code => ({
      name: `${code} at batch ${place}`,
      target: refusingSequence(place * recordsEach, code, Number.POSITIVE_INFINITY),
      place
    }))
  )
  const fleet = await openFleet(t, { cases, batches, start: { resumes: true } })
  for (const { name, place } of cases) {
    const lane = await fleet.untilStopped(name)
    assert.deepEqual([lane.reason, lane.checkpoint], ['fenced', place * recordsEach], name)
    assert.equal(fleet.target(name).values.length, place * recordsEach, name)
  }
  await assertArrived(fleet, healthy)
})

test('F4: what the target has appended before its answer was lost is there once', async t => {
  const lost: Script = {
    produce: call => ({
      body: call.encode(call.answer).bytes,
      ...(call.nth % 3 === 1 && { cutAt: 0 })
    })
  }
  const fleet = await openFleet(t, { cases: [{ name: 'lost', target: lost }], batches })
  await assertArrived(fleet, 'lost')
  assert.ok(fleet.target('lost').received.some(({ isRepeat }) => isRepeat))
})

test('F4: without a producer id the same is there twice at most, and nothing is missing', async t => {
  const lost: Script = {
    produce: call => ({
      body: call.encode(call.answer).bytes,
      ...(call.nth % 3 === 1 && { cutAt: 0 })
    })
  }
  const cases = [{ name: 'lost', target: lost }]
  const fleet = await openFleet(t, { cases, batches, link: { idempotent: false } })
  await fleet.untilAllArrived('lost')
  const { values } = fleet.target('lost')
  const source = fleet.sourceValues('lost')
  assert.deepEqual([...new Set(values)], source, 'a repeat lies behind what it repeats')
  assert.ok(values.length > source.length && values.length <= 2 * source.length)
})

const readErrors: readonly [string, number, LaneReason][] = [
  ['UNKNOWN_SERVER_ERROR', -1, 'broker-error'],
  ['CORRUPT_MESSAGE', 2, 'broker-error'],
  ['UNKNOWN_TOPIC_OR_PARTITION', 3, 'unknown-topic'],
  ['LEADER_NOT_AVAILABLE', 5, 'not-leader'],
  ['NOT_LEADER_OR_FOLLOWER', 6, 'not-leader'],
  ['REQUEST_TIMED_OUT', 7, 'broker-error'],
  ['BROKER_NOT_AVAILABLE', 8, 'broker-error'],
  ['REPLICA_NOT_AVAILABLE', 9, 'not-leader'],
  ['NETWORK_EXCEPTION', 13, 'broker-error'],
  ['TOPIC_AUTHORIZATION_FAILED', 29, 'not-allowed'],
  ['KAFKA_STORAGE_ERROR', 56, 'not-leader'],
  ['FENCED_LEADER_EPOCH', 74, 'not-leader'],
  ['UNKNOWN_LEADER_EPOCH', 75, 'not-leader'],
  ['OFFSET_NOT_AVAILABLE', 78, 'broker-error'],
  ['a code of the future', 999, 'broker-error']
]

function failingFetch(code: number, times: number): Script {
  return {
    fetch: call => {
      if (call.nth >= times) return honestly(call)
      for (const partition of call.answer.topics.flatMap(({ partitions }) => partitions)) {
        partition.error = code
        partition.records = null
      }
      return { body: call.encode(call.answer).bytes }
    }
  }
}

/** An empty answer comes late, as a long poll ends. */
function honestly({ answer, encode }: Call<FetchAnswer>) {
  const isEmpty = answer.topics.every(({ partitions }) =>
    partitions.every(({ records }) => !records?.length)
  )
  return { body: encode(answer).bytes, delayMs: isEmpty ? 50 : 0 }
}

test('F5: after a passing error of a Fetch everything is read on', async t => {
  const cases = readErrors.flatMap(([name, code]) =>
    (code === 29 ? (['once'] as const) : rounds).map(tries => ({
      name: `${name} ${tries}`,
      source: failingFetch(code, triesOf[tries])
    }))
  )
  cases.push({ name: 'OFFSET_OUT_OF_RANGE twice', source: failingFetch(1, 2) })
  const fleet = await openFleet(t, { cases })
  for (const { name } of [{ name: healthy }, ...cases]) await assertArrived(fleet, name)
})

test('F5: an error of a Fetch that does not pass is named, and asked again ever more rarely', async t => {
  const cases = readErrors.map(([name, code]) => ({
    name,
    source: failingFetch(code, triesOf['for ever'])
  }))
  const fleet = await openFleet(t, { cases })
  await assertArrived(fleet, healthy)
  for (const [name, code, reason] of readErrors) {
    const isNamed = () => fleet.facts(name).reason === reason && fleet.facts(name).code === code
    await waitFor(`${name} to be named`, isNamed, {
      describe: () => JSON.stringify(fleet.facts(name))
    })
    const asked = fleet.opened.source.requests(fleet.place(name), api.fetch)
    assertRare(asked, fleet, name)
  }
})

test('an offset that stays out of range is asked for no more until its owner knows the log', async t => {
  const cases = [{ name: 'gone', source: failingFetch(1, triesOf['for ever']) }]
  const fleet = await openFleet(t, { cases })
  const lane = fleet.laneOf('gone')
  const isTold = () => fleet.opened.told(lane).some(({ type }) => type === 'lane-needs-range')
  await waitFor('the lane to ask', isTold)
  const asked = fleet.opened.source.requests(fleet.place('gone'), api.fetch)
  fleet.opened.link.setRange(lane, 6, 12)
  assert.equal((await fleet.untilStopped('gone')).reason, 'source-gap')
  assert.equal(fleet.opened.source.requests(fleet.place('gone'), api.fetch), asked)
})

test('T26: answers are matched by topic and partition, not by their place', async t => {
  const topics = ['orders', 'payments', 'returns']
  const partitions = [0, 1, 2, 3]
  const side = { topics: Object.fromEntries(topics.map(topic => [topic, { partitions: 4 }])) }
  const opened = await openScriptedLink(t, { source: side, target: side })
  let shuffled = 0
  opened.target.scripts.set(0, {
    // One partition is refused for ever: its code belongs to it alone.
    refuse: ({ topic, partition }) => (topic === 'payments' && partition === 2 ? 87 : 0),
    produce: ({ answer, encode }) => {
      for (const topic of answer.topics.reverse()) {
        topic.partitions.reverse()
        if (topic.partitions.length > 1) shuffled++
      }
      return { body: encode(answer).bytes }
    }
  })
  opened.source.scripts.set(0, {
    fetch: call => {
      for (const topic of call.answer.topics.reverse()) topic.partitions.reverse()
      return honestly(call)
    }
  })
  const lanes = topics.flatMap(topic => {
    for (const partition of partitions) {
      opened.source.source(topic, partition).append(`${topic}-${partition}`, 10)
    }
    return opened.add(topic, partitions).map((id, partition) => ({ topic, partition, id }))
  })
  for (const { topic, partition, id } of lanes) {
    if (topic === 'payments' && partition === 2) {
      assert.equal((await opened.untilStopped(id)).reason, 'refused')
      assert.deepEqual(opened.target.target(topic, partition).values, [])
      continue
    }
    const { values } = opened.source.source(topic, partition)
    await opened.untilRecords(id, values.length)
    assert.deepEqual(opened.target.target(topic, partition).values, values)
  }
  assert.ok(shuffled > 0)
})
