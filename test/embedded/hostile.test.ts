// A source that answers a Fetch with what cannot be. Each case has a broker of its own; its lane stops or backs off
// with a reason, and asks no faster than a sound one, while the lane of a sound broker goes on.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LaneReason } from '../../src/native/index.ts'
import { type Fleet, healthy, openFleet, recordsEach } from '../support/answer-fleet.ts'
import { seal } from '../support/batch-header.ts'
import { encodeBatch } from '../support/records.ts'
import { api, type FetchAnswer, type FetchedPartition } from '../support/scripted-answers.ts'
import type { Call, Reply, Script } from '../support/scripted-broker.ts'
import { waitFor } from '../support/wait.ts'

type Spoil = (partition: FetchedPartition, call: Call<FetchAnswer>) => Partial<Reply> | undefined

type Hostile = {
  spoil: Spoil
  /** Stopped for good, held back but trying, without anything to do, or not disturbed at all. */
  becomes: { stopped: LaneReason } | { held: LaneReason } | 'idle' | 'unharmed'
}

const most = 2n ** 63n - 1n
const int32Most = 2 ** 31 - 1

type Patch = (batch: Buffer) => void

function batchAt(baseOffset: number | bigint, patch: Patch = () => {}): Buffer {
  const batch = encodeBatch(Array.from({ length: recordsEach }, (_, at) => ({ value: `${at}` })))
  batch.writeBigInt64BE(BigInt(baseOffset), 0)
  patch(batch)
  return seal(batch)
}

function records(...batches: Buffer[]): Spoil {
  return partition => {
    partition.records = Buffer.concat(batches)
  }
}

function fields(values: Partial<FetchedPartition>): Spoil {
  return partition => {
    Object.assign(partition, values)
  }
}

const patched = (patch: Patch) => records(batchAt(0, patch))
const whole = (change: (answer: FetchAnswer) => void): Spoil => {
  return (_, { answer }) => {
    change(answer)
    return undefined
  }
}

const malformed = { stopped: 'malformed' } as const
const nonsense = { held: 'malformed' } as const
const notHeard = { held: 'connection' } as const

const hostile: Record<string, Hostile> = {
  'batches overlap': { spoil: records(batchAt(0), batchAt(2)), becomes: malformed },
  'batches run backwards': { spoil: records(batchAt(3), batchAt(0)), becomes: malformed },
  'a batch lies far beyond the high watermark': {
    spoil: records(batchAt(2n ** 33n)),
    becomes: malformed
  },
  'the base offset is negative': { spoil: records(batchAt(-5)), becomes: malformed },
  'the base offset is the largest there is': { spoil: records(batchAt(most)), becomes: malformed },
  'the last offset overflows': { spoil: records(batchAt(most - 1n)), becomes: malformed },
  'the last offset delta is negative': {
    spoil: patched(batch => batch.writeInt32BE(-1, 23)),
    becomes: malformed
  },
  'the last offset delta is huge': {
    spoil: patched(batch => batch.writeInt32BE(int32Most, 23)),
    becomes: { stopped: 'holes' }
  },
  'the record count is negative': {
    spoil: patched(batch => batch.writeInt32BE(-1, 57)),
    becomes: malformed
  },
  'the record count is huge': {
    spoil: patched(batch => batch.writeInt32BE(int32Most, 57)),
    becomes: { stopped: 'holes' }
  },
  'the batch length is negative': {
    spoil: patched(batch => batch.writeInt32BE(-1, 8)),
    becomes: malformed
  },
  'the batch is shorter than its header': {
    spoil: patched(batch => batch.writeInt32BE(48, 8)),
    becomes: malformed
  },
  'the batch is longer than the answer': {
    spoil: patched(batch => batch.writeInt32BE(int32Most, 8)),
    becomes: malformed
  },
  'the format is of the future': {
    spoil: patched(batch => batch.writeInt8(3, 16)),
    becomes: malformed
  },
  'the codec does not exist': {
    spoil: patched(batch => batch.writeInt16BE(7, 21)),
    becomes: malformed
  },
  'another partition is answered': { spoil: fields({ partition: 77 }), becomes: notHeard },
  'no topic is answered': {
    spoil: whole(answer => {
      answer.topics = []
    }),
    becomes: notHeard
  },
  'the whole answer is an error': {
    spoil: whole(answer => {
      answer.error = 70
      answer.topics = []
    }),
    becomes: notHeard
  },
  'the answer is for another request': {
    spoil: (_, { correlationId }) => ({ correlationId: correlationId + 1_000 }),
    becomes: notHeard
  },
  'an answer of 2 GB is announced': {
    spoil: () => ({ announced: int32Most }),
    becomes: notHeard
  },
  'an answer of 90 MB is announced that never comes': {
    spoil: () => ({ announced: 90_000_000 }),
    becomes: notHeard
  },
  'a negative length is announced': { spoil: () => ({ announced: -5 }), becomes: notHeard },
  'an answer without a head is announced': { spoil: () => ({ announced: 3 }), becomes: notHeard },
  'no answer ever comes': { spoil: () => ({ delayMs: 600_000 }), becomes: notHeard },
  'a partition stands there twice': {
    spoil: (partition, { answer }) => {
      answer.topics.push(
        ...answer.topics.map(topic => ({ ...topic, partitions: [{ ...partition }] }))
      )
      return isEmpty(partition) ? { delayMs: 50 } : undefined
    },
    becomes: 'unharmed'
  },
  'the throttle is negative': {
    spoil: (partition, { answer }) => {
      answer.throttleMs = -5
      return isEmpty(partition) ? { delayMs: 50 } : undefined
    },
    becomes: 'unharmed'
  },
  'the log starts behind its end': {
    spoil: fields({ logStartOffset: 1_000 }),
    becomes: nonsense
  },
  'the log starts at the largest offset': {
    spoil: fields({ logStartOffset: most }),
    becomes: nonsense
  },
  'the high watermark is negative': { spoil: fields({ highWatermark: -7 }), becomes: nonsense },
  'the high watermark is the largest offset': {
    spoil: fields({ highWatermark: most, lastStableOffset: most }),
    becomes: nonsense
  },
  'the same batch comes whatever is asked': { spoil: records(batchAt(0)), becomes: nonsense },
  'nothing comes, at once': { spoil: fields({ records: null }), becomes: 'idle' },
  'the last stable offset runs backwards': {
    spoil: (partition, { nth }) => {
      partition.lastStableOffset = Math.max(0, 12 - 3 * nth)
      return undefined
    },
    becomes: 'unharmed'
  },
  'a replica is preferred that does not exist': {
    spoil: fields({ preferredReadReplica: 99, records: null }),
    becomes: 'idle'
  },
  'a million aborted transactions are announced': {
    spoil: (_, { answer, encode }) => {
      const { bytes, fields: places } = encode(answer)
      const count = places.find(({ name }) => name.endsWith('aborted.length'))
      return { body: announce(bytes, count?.at ?? 0, count?.size ?? 0) }
    },
    becomes: nonsense
  }
}

/** Five bytes of a flexible count, or four of a classic one. */
function announce(bytes: Buffer, at: number, size: number): Buffer {
  const count = size === 4 ? Buffer.from([0, 0x0f, 0x42, 0x40]) : Buffer.from([0xc1, 0x84, 0x3d])
  return Buffer.concat([bytes.subarray(0, at), count, bytes.subarray(at + size)])
}

function isEmpty({ records }: FetchedPartition): boolean {
  return (records?.length ?? 0) === 0
}

function scriptOf({ spoil }: Hostile): Script {
  return {
    fetch: call => {
      const partition = call.answer.topics[0]?.partitions[0] as FetchedPartition
      const reply = spoil(partition, call)
      return { body: call.encode(call.answer).bytes, ...reply }
    }
  }
}

async function assertBecame(fleet: Fleet, name: string, { becomes }: Hostile): Promise<void> {
  if (becomes === 'unharmed') {
    await fleet.untilAllArrived(name)
    assert.deepEqual(fleet.target(name).values, fleet.sourceValues(name), name)
    return
  }
  if (becomes === 'idle') return
  if ('stopped' in becomes) {
    assert.equal((await fleet.untilStopped(name)).reason, becomes.stopped, name)
    return
  }
  await waitFor(`"${name}" to be told`, () => fleet.facts(name).reason === becomes.held, {
    describe: () => JSON.stringify(fleet.facts(name))
  })
}

const requestsPerSecond = 150

/** While the lanes stand: none asks as fast as the line would go. */
async function assertCalm(fleet: Fleet, names: readonly string[]): Promise<void> {
  const asked = (name: string) => fleet.opened.source.requests(fleet.place(name), api.fetch)
  const before = names.map(asked)
  const since = performance.now()
  await sleep(1_000)
  const seconds = (performance.now() - since) / 1_000
  for (const [index, name] of names.entries()) {
    const rate = (asked(name) - (before[index] ?? 0)) / seconds
    assert.ok(rate < requestsPerSecond, `"${name}" is asked ${Math.round(rate)} times a second`)
  }
}

test('a hostile answer to a Fetch stops or holds its own lane, and no other', {
  timeout: 120_000
}, async t => {
  const rssBefore = process.resourceUsage().maxRSS
  const cases = Object.entries(hostile).map(([name, each]) => ({ name, source: scriptOf(each) }))
  const fleet = await openFleet(t, { cases, link: { isolation: 'read_committed' } })
  for (const [name, each] of Object.entries(hostile)) await assertBecame(fleet, name, each)
  await fleet.untilAllArrived(healthy)
  assert.deepEqual(fleet.target(healthy).values, fleet.sourceValues(healthy))
  await assertCalm(fleet, Object.keys(hostile))
  for (const [name, { becomes }] of Object.entries(hostile)) {
    const { checkpoint } = fleet.facts(name)
    const taken = fleet.target(name).values.length
    assert.ok(checkpoint >= taken, `"${name}": checkpoint ${checkpoint}, ${taken} records`)
    if (becomes !== 'unharmed') assert.ok(taken <= recordsEach, name)
  }
  const grownKb = process.resourceUsage().maxRSS - rssBefore
  assert.ok(grownKb < 512 * 1_024, `${grownKb} KB more than before`)
})

test('a throttle without end holds its own lane, and no other', async t => {
  const throttled: Hostile = {
    spoil: whole(answer => {
      answer.throttleMs = int32Most
      answer.topics = []
    }),
    becomes: 'unharmed'
  }
  const short: Hostile = {
    spoil: whole(answer => {
      answer.throttleMs = 1
      answer.topics = []
    }),
    becomes: 'unharmed'
  }
  const fleet = await openFleet(t, {
    cases: [
      { name: 'for ever', source: scriptOf(throttled) },
      { name: 'a millisecond', source: scriptOf(short) }
    ]
  })
  await fleet.untilAllArrived(healthy)
  await waitFor('a first request', () => fleet.opened.source.requests(1, api.fetch) > 0)
  await assertCalm(fleet, ['for ever', 'a millisecond'])
  assert.equal(fleet.opened.source.requests(fleet.place('for ever'), api.fetch), 1)
})

test('P10: brokers that speak only the oldest versions are mirrored', async t => {
  const versions = {
    [api.fetch]: [4, 4],
    [api.produce]: [3, 3],
    [api.metadata]: [0, 4],
    [api.initProducerId]: [0, 0],
    [api.apiVersions]: [0, 0]
  } as const
  const fleet = await openFleet(t, { cases: [], versions: { source: versions, target: versions } })
  await fleet.untilAllArrived(healthy)
  assert.deepEqual(fleet.target(healthy).values, fleet.sourceValues(healthy))
})
