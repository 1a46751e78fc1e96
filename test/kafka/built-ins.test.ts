// The handlers that come along, on real brokers: what arrives is what their arguments say, judged by another reader.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { CommandLine } from '../support/command-line.ts'
import { startPair } from '../support/kafka-broker.ts'
import { createTopic } from '../support/kafka-tools.ts'
import { mirrorOnce, partitionsOf } from '../support/mirror-process.ts'
import { type Produced, RawClient, withClient } from '../support/raw-client.ts'
import {
  type DecodedRecord,
  decodeBatch,
  encodeBatch,
  type RecordInput
} from '../support/records.ts'
import { readBatches } from '../support/topic-reader.ts'

const limit = { timeout: 120_000 }
const time = 1_700_000_000_000

let pair: Awaited<ReturnType<typeof startPair>>
before(async () => {
  pair = await startPair()
})
after(() => pair?.close())

type Plain = [key: string | null, value: string | null, headers: string[], timestamp: number]

test('each handler that comes along does what it says, and the others pass', limit, async t => {
  const id = randomUUID()
  const inputs = Array.from({ length: 3_000 }, (_, number) => inputOf(number))
  const all = inputs.map(plainInput)
  const doing: Record<string, [handler: string, expected: Plain[]]> = {
    filter: [
      'filter: { field: { region: ^eu$ } }',
      all.filter(([, value]) => /"eu"/.test(`${value}`))
    ],
    headers: [
      'headers: { rename: { trace: id }, add: { origin: test } }',
      all.map(([key, value, headers, at]) => [
        key,
        value,
        [...headers.map(header => header.replace('trace', 'id')), 'origin=test'],
        at
      ])
    ],
    mask: [
      'mask: { fields: customer.email }',
      all.map(([key, value, ...rest]) => [
        key,
        value?.replace(/"email":"[^"]*"/, '"email":"****"') ?? null,
        ...rest
      ])
    ],
    'drop-tombstones': ['drop-tombstones', all.filter(([, value]) => value !== null)],
    'shift-timestamps': [
      'shift-timestamps: { by: -1h }',
      all.map(([key, value, headers, at]) => [key, value, headers, at - 3_600_000])
    ],
    rename: [`rename: { topic: ^${id}-(.*), to: ${id}.$1 }`, []],
    repartition: ['repartition', all],
    none: ['', all]
  }
  const names = [...Object.keys(doing), 'sample']
  for (const name of names) {
    const batches = [0, 1_000, 2_000].map(at => inputs.slice(at, at + 1_000))
    await fill(`${id}-${name}`, batches)
  }
  const rules = Object.entries(doing)
    .filter(([name]) => name !== 'none')
    .map(([name, [handler]]) => `- topics: ${id}-${name}\n  handlers:\n    - ${handler}\n`)
  rules.push(`- topics: ${id}-sample\n  handlers: [ sample: { rate: 20% } ]\n`)
  const file = await fileOf(t, 'transforms.yaml', rules.join(''))
  const { code, report, mirror } = await mirrorOnce(t, {
    ...pair,
    whitelist: `${id}-.*`,
    group: id,
    flags: ['--transforms', file]
  })
  assert.equal(code, 0, mirror.tail())
  for (const [name, [, expected]] of Object.entries(doing)) {
    const found = await readAll(`${id}-${name}`)
    assert.deepEqual(found.map(plainRecord), expected, name)
    const [row] = partitionsOf(report, `${id}-${name}`)
    assert.equal(row?.delivery, 'exactly-once', name)
    const { shallow, transform } = row.batches
    assert.deepEqual([shallow > 0, transform > 0], [name === 'none', name !== 'none'], name)
  }
  assert.deepEqual((await readAll(`${id}.rename`)).map(plainRecord), all)
  const sampled = (await readAll(`${id}-sample`)).map(plainRecord)
  const keys = new Set(sampled.map(([key]) => key).filter(key => key !== null))
  const share = sampled.length / all.length
  assert.ok(share > 0.1 && share < 0.3, `${share}`)
  const wanted = all.filter(([key]) => key === null || keys.has(key))
  const withKey = (rows: Plain[]) => rows.filter(([key]) => key !== null)
  assert.deepEqual(withKey(sampled), withKey(wanted))
})

test('a million records through a chain that filters, masks and renames', limit, async t => {
  const topic = `chain-${randomUUID()}`
  const [partitions, perPartition, batchRecords] = [4, 250_000, 1_000]
  await bothTopics(topic, partitions)
  await withClient(pair.source.bootstrap, async client => {
    const waiting: Promise<unknown>[] = []
    for (let first = 0; first < perPartition; first += batchRecords) {
      const numbers = Array.from({ length: batchRecords }, (_, place) => first + place)
      const batch = encodeBatch(numbers.map(chainInput), { codec: 'lz4' })
      const batches = new Map(Array.from({ length: partitions }, (_, number) => [number, batch]))
      waiting.push(client.produce({ topic, batches }).then(refuseErrors))
      if (waiting.length > 8) await waiting.shift()
    }
    await Promise.all(waiting)
  })
  const file = await fileOf(
    t,
    'chain.yaml',
    `- topics: ${topic}
  handlers:
    - filter: { key: ^(eu|us)- }
    - mask: { fields: customer.email }
    - headers: { rename: { trace: trace-id } }
`
  )
  const started = Date.now()
  const flags = ['--transforms', file]
  const { code, report, mirror } = await mirrorOnce(t, {
    ...pair,
    whitelist: topic,
    group: topic,
    flags
  })
  assert.equal(code, 0, mirror.tail())
  t.diagnostic(`mirrored in ${Date.now() - started} ms, CPU ${report.cpuSeconds} s`)
  for (let partition = 0; partition < partitions; partition++) {
    let number = 0
    let found = 0
    for await (const record of recordsOf(topic, partition)) {
      if (number % 3 === 2) number++
      // A deepEqual for each would take longer than the mirror.
      if (!isMasked(record, number))
        assert.fail(`${partition}: ${JSON.stringify(plainRecord(record))}`)
      number++
      found++
    }
    assert.equal(found, Math.ceil((perPartition * 2) / 3), `partition ${partition}`)
  }
})

test('transform test shows what handlers make of a topic, first and last', limit, async t => {
  const topic = `shown-${randomUUID()}`
  await bothTopics(topic, 2)
  await withClient(pair.source.bootstrap, async client => {
    for (const partition of [0, 1]) {
      const inputs = Array.from({ length: 100 }, (_, place) => chainInput(place * 2 + partition))
      await client.append(topic, partition, encodeBatch(inputs, { codec: 'zstd' }))
    }
  })
  const config = await fileOf(
    t,
    'source.properties',
    `bootstrap.servers=${pair.source.bootstrap}\n`
  )
  const command = new CommandLine(tmpdir())
  t.after(() => command.close())
  const test = ['transform', 'test', '--handler', 'filter', '--args', 'key: ^eu-']
  const flags = ['--from-topic', topic, '--consumer.config', config, '--format', 'json']
  const offsetsOf = async (...more: string[]) => {
    const { code, out, err } = await command.run(...test, ...flags, ...more)
    assert.equal(code, 0, err)
    const { records } = JSON.parse(out)
    return records.map(({ outcome, before }: { outcome: string; before: { key: string } }) => [
      before.key,
      outcome
    ])
  }
  assert.deepEqual(await offsetsOf('--records', '4', '--from', 'first'), [
    ['eu-0', 'unchanged'],
    ['us-1', 'dropped'],
    ['ap-2', 'dropped'],
    ['eu-3', 'unchanged']
  ])
  assert.deepEqual(await offsetsOf('--records', '2'), [
    ['eu-198', 'unchanged'],
    ['us-199', 'dropped']
  ])
  const none = ['--from-topic', `${topic}x`, ...flags.slice(2)]
  const { code, err } = await command.run(...test, ...none)
  assert.equal(code, 2)
  assert.match(err, /^error: --from-topic: source "source" has no topic "shown-.*x"/)
})

const regions = ['eu', 'us', 'ap']

function inputOf(number: number): RecordInput {
  const region = regions[number % 3]
  const email = `user${number}@example.com`
  return {
    key: number % 10 === 0 ? null : `key-${number % 500}`,
    value:
      number % 7 === 0
        ? null
        : `{"region":"${region}", "n":9007199254740993,"customer":{"email":"${email}","x":1.0}}`,
    headers: [
      ['trace', `${number}`],
      ['kept', 'a']
    ],
    timestamp: time + number
  }
}

function chainInput(number: number): RecordInput {
  return {
    key: `${regions[number % 3]}-${number}`,
    value: chainValue(number, `user${number}@example.com`),
    headers: [['trace', `${number}`]],
    timestamp: time + number
  }
}

function chainValue(number: number, email: string): string {
  return `{"n":${number},"customer":{"email":"${email}","since":2020},"text":"some more of it"}`
}

function isMasked({ key, value, headers, timestamp }: DecodedRecord, number: number): boolean {
  const [header, second] = headers
  return (
    key?.toString() === `${regions[number % 3]}-${number}` &&
    value?.toString() === chainValue(number, '****') &&
    timestamp === time + number &&
    second === undefined &&
    header?.[0] === 'trace-id' &&
    header[1]?.toString() === `${number}`
  )
}

function plainInput({ key, value, headers = [], timestamp = 0 }: RecordInput): Plain {
  const named = headers.map(([name, field]) => `${name}=${field}`)
  return [key as string | null, value as string | null, named, timestamp]
}

function plainRecord({ key, value, headers, timestamp }: DecodedRecord): Plain {
  const named = headers.map(([name, field]) => `${name}=${field}`)
  return [key?.toString() ?? null, value?.toString() ?? null, named, timestamp]
}

function refuseErrors(produced: readonly Produced[]): void {
  for (const { partition, error } of produced) assert.equal(error, 0, `partition ${partition}`)
}

async function bothTopics(topic: string, partitions: number): Promise<void> {
  await Promise.all(
    [pair.source, pair.target].map(({ bootstrap }) => createTopic(bootstrap, topic, partitions))
  )
}

async function fill(topic: string, batches: RecordInput[][]): Promise<void> {
  await bothTopics(topic, 1)
  await withClient(pair.source.bootstrap, async client => {
    for (const inputs of batches) {
      await client.append(topic, 0, encodeBatch(inputs, { codec: 'lz4' }))
    }
  })
}

async function* recordsOf(topic: string, partition: number): AsyncGenerator<DecodedRecord> {
  const client = new RawClient(pair.target.bootstrap)
  try {
    for await (const { bytes } of readBatches(client, topic, partition)) {
      yield* decodeBatch(bytes).records
    }
  } finally {
    client.close()
  }
}

async function readAll(topic: string): Promise<DecodedRecord[]> {
  const records: DecodedRecord[] = []
  for await (const record of recordsOf(topic, 0)) records.push(record)
  return records
}

async function fileOf(t: TestContext, name: string, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'heliostat-built-ins-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, name)
  await writeFile(file, text)
  return file
}
