// Calls outside of links, to brokers whose answers are damaged at every place: each ends, with an answer or an error.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Cluster, failureOf } from '../../src/native/index.ts'
import type { Answer } from '../support/answer-writer.ts'
import { api, type Versions } from '../support/scripted-answers.ts'
import { type ScriptedCluster, startScriptedCluster } from '../support/scripted-broker.ts'
import { quickProperties } from '../support/scripted-link.ts'
import { absurdities, truncations, type Variant } from '../support/scripted-sweep.ts'

const topic = 'orders'
const partitions = [0, 1].map(partition => ({ topic, partition }))
const wanted = partitions.map(partition => ({ ...partition, offset: 0 }))
const timeoutMs = 5_000

async function start(t: TestContext, versions: Versions = {}): Promise<ScriptedCluster> {
  const scripted = await startScriptedCluster({ topics: { [topic]: { partitions: 2 } }, versions })
  t.after(() => scripted.close())
  for (const { partition } of partitions) scripted.source(topic, partition).append('p', 2)
  return scripted
}

function open(t: TestContext, { bootstrapServers }: ScriptedCluster): Cluster {
  const cluster = new Cluster({ ...quickProperties, 'bootstrap.servers': bootstrapServers })
  t.after(() => cluster.close())
  return cluster
}

const damaged = (answer: Answer): Variant[] => [...truncations(answer), ...absurdities(answer)]

/** Calls once for each variant, whose answer is the only one that is not honest. */
async function sweep(variants: () => Variant[], take: (variant: Variant) => Promise<unknown>) {
  let count = 0
  for (const variant of variants()) {
    await take(variant)
    count++
  }
  assert.ok(count > 40, `only ${count} variants`)
}

for (const [version, versions] of [
  ['4', { [api.fetch]: [4, 4] }],
  ['11', { [api.fetch]: [4, 11] }],
  ['newest', {}]
] as [string, Versions][]) {
  test(`headers and batches are read from damaged Fetch ${version} answers without harm`, async t => {
    const scripted = await start(t, versions)
    const cluster = open(t, scripted)
    let sample: Answer | undefined
    let spoil: Variant['spoil'] | undefined
    scripted.scripts.set(0, {
      fetch: ({ answer, encode }) => {
        for (const each of answer.topics.flatMap(({ partitions }) => partitions)) {
          each.aborted = [{ producerId: 1, firstOffset: 0 }]
        }
        sample = encode(answer)
        return { body: sample.bytes, ...spoil?.(sample) }
      }
    })
    const [first] = await cluster.readHeaders(wanted, 4_096, 'read_committed', timeoutMs)
    assert.equal(first?.batches.length, 2)
    await sweep(
      () => damaged(sample as Answer),
      async variant => {
        spoil = variant.spoil
        const headers = await cluster.readHeaders(wanted, 4_096, 'read_committed', timeoutMs)
        const batches = await cluster.readBatches(wanted, 4_096, 'read_committed', timeoutMs)
        for (const found of [...headers, ...batches]) {
          // Nobody may take silence for an empty log.
          const isTold = found.failure !== undefined || found.highWatermark !== -1
          assert.ok(isTold, `${variant.name}: ${JSON.stringify(found)}`)
        }
      }
    )
    spoil = undefined
    const again = await cluster.readHeaders(wanted, 4_096, 'read_committed', timeoutMs)
    assert.deepEqual(
      again.map(({ batches }) => batches.length),
      [2, 2]
    )
  })
}

test('producers are described by damaged answers without harm', async t => {
  const scripted = await start(t)
  const cluster = open(t, scripted)
  let sample: Answer | undefined
  let spoil: Variant['spoil'] | undefined
  scripted.scripts.set(0, {
    describeProducers: ({ answer, encode }) => {
      for (const each of answer.flatMap(({ partitions }) => partitions)) {
        each.producers = [{ producerId: 7, epoch: 0, lastSequence: 41 }]
      }
      sample = encode(answer)
      return { body: sample.bytes, ...spoil?.(sample) }
    }
  })
  const [first] = await cluster.describeProducers(partitions, timeoutMs)
  assert.equal(first?.producers[0]?.lastSequence, 41)
  await sweep(
    () => damaged(sample as Answer),
    async variant => {
      spoil = variant.spoil
      for (const found of await cluster.describeProducers(partitions, timeoutMs)) {
        const isTold = found.failure !== undefined || found.producers.length > 0
        assert.ok(isTold, `${variant.name}: ${JSON.stringify(found)}`)
      }
    }
  )
})

test('a partition that is missing in an answer fails, and is not taken for an empty one', async t => {
  const scripted = await start(t)
  const cluster = open(t, scripted)
  scripted.scripts.set(0, {
    // As a broker that throttles may do (KIP-219).
    fetch: ({ answer, encode }) => {
      answer.topics = []
      answer.throttleMs = 1
      return { body: encode(answer).bytes }
    },
    describeProducers: ({ encode }) => ({ body: encode([]).bytes })
  })
  const found = [
    ...(await cluster.readHeaders(wanted, 4_096, 'read_uncommitted', timeoutMs)),
    ...(await cluster.readBatches(wanted, 4_096, 'read_uncommitted', timeoutMs)),
    ...(await cluster.describeProducers(partitions, timeoutMs))
  ]
  for (const { failure } of found) assert.ok(failure, 'silence is not an answer')
})

test('metadata that is damaged at any place ends no process and fills no memory', {
  timeout: 120_000
}, async t => {
  let sample: Answer | undefined
  const honest = await start(t)
  honest.scripts.set(0, {
    metadata: ({ answer, encode }) => {
      sample = encode(answer)
      return { body: sample.bytes }
    }
  })
  assert.equal((await open(t, honest).metadata(undefined, timeoutMs)).topics.length, 1)
  const variants = damaged(sample as unknown as Answer)
  assert.ok(variants.length > 100)
  const before = process.resourceUsage().maxRSS
  const askers = Array.from({ length: 8 }, () => askInTurn(variants))
  await Promise.all(askers)
  assert.equal(variants.length, 0)
  const grownKb = process.resourceUsage().maxRSS - before
  assert.ok(grownKb < 512 * 1_024, `${grownKb} KB more than before`)
})

/** Whatever comes of it: an answer, or an error that is one of Kafka's. */
async function askInTurn(variants: Variant[]): Promise<void> {
  for (let variant = variants.pop(); variant !== undefined; variant = variants.pop()) {
    const { spoil } = variant
    const scripted = await startScriptedCluster({ topics: { [topic]: { partitions: 2 } } })
    scripted.scripts.set(0, {
      metadata: ({ answer, encode }) => {
        const sound = encode(answer)
        return { body: sound.bytes, ...spoil(sound) }
      }
    })
    const cluster = new Cluster({
      ...quickProperties,
      'bootstrap.servers': scripted.bootstrapServers
    })
    const error: unknown = await cluster.readHeaders(wanted, 4_096, 'read_uncommitted', 50).then(
      () => undefined,
      reason => reason
    )
    if (error !== undefined) assert.ok(failureOf(error), `${variant.name}: ${error}`)
    await cluster.close()
    await scripted.close()
  }
}
