// Owns the loads of the tests: topics filled fast with numbered records of every shape.

import { type Codec, seal } from './batch-header.ts'
import { type PerfOptions, perfTest, type ToolTarget } from './kafka-tools.ts'
import { type RawClient, withClient } from './raw-client.ts'
import { encodeBatch, type RecordInput } from './records.ts'

export type MixedOptions = {
  /** The topic has to have them; all of its partitions unless given. */
  partitions?: number
  /** In all, dealt out batch by batch over the partitions. */
  records: number
  /** `mixed`: one codec after the other, and Snappy in both framings. */
  codec?: Codec | 'mixed'
  batchRecords?: number
  recordBytes?: number
  /** Some records carry headers, with a null and an empty value among them. */
  headers?: boolean
  /** Some keys are null, some empty. */
  nullKeys?: boolean
  /** Some values are null, some empty. */
  nullValues?: boolean
  /** Timestamp of the first batch; each batch is a millisecond later. */
  baseTimestamp?: number
  /** Batches on their way to each partition. */
  inFlight?: number
}

/** First and next offset by partition: what a test may expect to find. */
export type ProducedRange = Map<number, { first: number; next: number }>

/**
 * Fills a topic fast: a handful of batches is encoded once, and sent again and again with another base timestamp.
 * Every batch of a partition differs from the others by its timestamp, so loss, doubling and disorder show in a digest.
 */
export async function produceMixed(
  bootstrap: string,
  topic: string,
  options: MixedOptions
): Promise<ProducedRange> {
  const { records, batchRecords = 500, baseTimestamp = Date.now() - 3_600_000 } = options
  const prototypes = makePrototypes(options)
  const rest = records % batchRecords
  const batches = Math.floor(records / batchRecords) + (rest > 0 ? 1 : 0)
  return produceBatches(
    bootstrap,
    topic,
    options,
    () => batches,
    ({ index, turn, place }) => {
      const isRest = rest > 0 && index === batches - 1
      const batch = isRest
        ? makePrototypes({ ...options, batchRecords: rest })[0]
        : prototypes[(turn + place) % prototypes.length]
      return withTimestamp(batch as Buffer, baseTimestamp + index)
    }
  )
}

export type NumberedOptions = {
  partitions?: number
  /** In each partition. */
  records: number
  /** Number of the first record of each partition. */
  from?: number
  codec?: Codec
  batchRecords?: number
  recordBytes?: number
  inFlight?: number
}

/** Records that name themselves: key `partition-number`, value starting with the number. */
export async function produceNumbered(
  bootstrap: string,
  topic: string,
  options: NumberedOptions
): Promise<ProducedRange> {
  const { records, from = 0, codec = 'lz4', batchRecords = 500, recordBytes = 100 } = options
  const turns = Math.ceil(records / batchRecords)
  const count = (partitions: number) => turns * partitions
  return produceBatches(bootstrap, topic, options, count, ({ turn, partition }) => {
    const first = turn * batchRecords
    const length = Math.min(batchRecords, records - first)
    const numbers = Array.from({ length }, (_, place) => from + first + place)
    return encodeBatch(
      numbers.map(number => numberedRecord(partition, number, recordBytes)),
      { codec }
    )
  })
}

export function numberedRecord(partition: number, number: number, recordBytes = 100): RecordInput {
  return { key: `${partition}-${number}`, value: `${number} `.padEnd(recordBytes, 'x') }
}

/** The numbers that produceNumbered gave, from decoded values, in the order they have. */
export function recordNumber(value: Buffer | null): number {
  return Number.parseInt(value?.toString() ?? '', 10)
}

/** kafka-producer-perf-test: a load by Kafka's own producer. */
export async function producePerf(
  target: ToolTarget,
  topic: string,
  options: PerfOptions
): Promise<void> {
  await perfTest(target, topic, options)
}

type Slot = { index: number; turn: number; place: number; partition: number }

/** Makes batches and sends them to the partitions in turn, in order, several of each on their way. */
async function produceBatches(
  bootstrap: string,
  topic: string,
  { partitions, inFlight = 8 }: { partitions?: number; inFlight?: number },
  countFor: (partitions: number) => number,
  make: (slot: Slot) => Buffer
): Promise<ProducedRange> {
  return withClient(bootstrap, async client => {
    const used = (await client.partitions(topic)).slice(0, partitions)
    const before = await latestOffsets(client, topic, used)
    const count = countFor(used.length)
    const onTheWay = new Set<Promise<void>>()
    for (let turn = 0, first = 0; first < count; turn++, first += used.length) {
      // One request carries a batch for each partition; a connection answers requests in order.
      const slots = used.slice(0, count - first).map((partition, place) => {
        return { index: first + place, turn, place, partition }
      })
      const batches = new Map(slots.map(slot => [slot.partition, make(slot)]))
      const sending = sendAll(client, topic, batches).finally(() => onTheWay.delete(sending))
      sending.catch(() => {})
      onTheWay.add(sending)
      if (onTheWay.size >= inFlight) await Promise.race(onTheWay)
    }
    await Promise.all(onTheWay)
    const after = await latestOffsets(client, topic, used)
    const range = (partition: number) => ({
      first: before.get(partition) as number,
      next: after.get(partition) as number
    })
    return new Map(used.map(partition => [partition, range(partition)]))
  })
}

async function latestOffsets(
  client: RawClient,
  topic: string,
  partitions: number[]
): Promise<Map<number, number>> {
  const latest = partitions.map(
    async partition => [partition, await client.listOffset(topic, partition, 'latest')] as const
  )
  return new Map(await Promise.all(latest))
}

async function sendAll(
  client: RawClient,
  topic: string,
  batches: Map<number, Buffer>
): Promise<void> {
  for (const { partition, error } of await client.produce({ topic, batches })) {
    if (error !== 0) throw new Error(`produce to ${topic}-${partition}: error ${error}`)
  }
}

const mixedCodecs = ['none', 'lz4', 'gzip', 'snappy', 'zstd', 'snappy'] as const

function makePrototypes(options: MixedOptions): Buffer[] {
  const { codec = 'mixed', batchRecords = 500 } = options
  const wanted = codec === 'mixed' ? mixedCodecs : [codec, codec, codec]
  return wanted.map((name, variant) => {
    const inputs = Array.from({ length: batchRecords }, (_, place) =>
      mixedRecord(options, variant, place)
    )
    return encodeBatch(inputs, { codec: name, snappy: variant === 3 ? 'raw' : 'xerial' })
  })
}

function mixedRecord(options: MixedOptions, variant: number, place: number): RecordInput {
  const { recordBytes = 100, headers = false, nullKeys = false, nullValues = false } = options
  const key =
    nullKeys && place % 5 === 1
      ? null
      : nullKeys && place % 5 === 2
        ? ''
        : `key-${variant}-${place}`
  const text = `{"variant":${variant},"place":${place},"text":"${words(variant * 7919 + place, recordBytes)}`
  const value = text.slice(0, Math.max(1, recordBytes))
  return {
    key,
    value: nullValues && place % 7 === 3 ? null : nullValues && place % 7 === 4 ? '' : value,
    headers: headers && place % 3 === 0 ? [...mixedHeaders, ['place', `${place}`]] : [],
    timestamp: mixedBase + (place % 100)
  }
}

const mixedBase = 1_700_000_000_000
const mixedHeaders: [string, string | Buffer | null][] = [
  ['trace', Buffer.from([0, 1, 2, 0xff])],
  ['none', null],
  ['empty', '']
]

// Text about as compressible as JSON logs are, the same for the same seed.
function words(seed: number, length: number): string {
  let state = (seed * 2_654_435_761 + 1) >>> 0
  let text = ''
  while (text.length < length) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    text += state % 3 === 0 ? state.toString(36) : vocabulary[state % vocabulary.length]
    text += ' '
  }
  return text
}

const vocabulary = [
  'order',
  'customer',
  'shipped',
  'pending',
  'invoice',
  'created',
  'warehouse',
  'EUR'
]

function withTimestamp(prototype: Buffer, baseTimestamp: number): Buffer {
  const batch = Buffer.from(prototype)
  const span = prototype.readBigInt64BE(35) - prototype.readBigInt64BE(27)
  batch.writeBigInt64BE(BigInt(baseTimestamp), 27)
  batch.writeBigInt64BE(BigInt(baseTimestamp) + span, 35)
  return seal(batch)
}
