// One cell of the benchmark of rebuilding, in a process of its own: worker threads that are never without work.
// Takes a ResealCell as JSON, prints a ResealRun.

import { type Codec, codecNumber } from '../src/batches/codec.ts'
import { compress } from '../src/batches/compression.ts'
import { BatchPool } from '../src/batches/pool.ts'
import { sampleRecords } from '../src/bench/sample-records.ts'
import { headerBytes, seal } from '../test/support/batch-header.ts'
import { encodeBatch, type RecordInput } from '../test/support/records.ts'

export interface ResealCell {
  codec: Codec
  /** What it is written in. */
  to: Codec
  /** Key and value. */
  recordBytes: number
  /** Before compression. */
  batchBytes: number
  repeats: number
  /** Workers. */
  threads: number
}

export interface ResealRound {
  /** Of batches before compression. */
  bytes: number
  seconds: number
  cpuSeconds: number
}

export interface ResealRun {
  packedBytes: number
  plainBytes: number
  batchRecords: number
  rounds: ResealRound[]
  peakRssBytes: number
}

const roundMs = 1_000
// As much as a mirror has away at its workers.
const awayBytes = 16 * 1_048_576
const warmUpMs = 1_500

const cell = JSON.parse(process.argv[2] ?? '') as ResealCell
const batchRecords = Math.max(1, Math.floor(cell.batchBytes / cell.recordBytes))
const { plain, packed } = makeBatch(cell, batchRecords)
const pool = new BatchPool({ maxThreads: cell.threads })
await measure(warmUpMs)
const rounds: ResealRound[] = []
for (let repeat = 0; repeat < cell.repeats; repeat++) rounds.push(await measure(roundMs))
await pool.close()
const result: ResealRun = {
  packedBytes: packed.length,
  plainBytes: plain.length,
  batchRecords,
  rounds,
  peakRssBytes: process.resourceUsage().maxRSS * 1_024
}
console.log(JSON.stringify(result))

/** Keeps the pool full for about so long. */
async function measure(ms: number): Promise<ResealRound> {
  const cpuFrom = process.cpuUsage()
  const from = performance.now()
  let done = 0
  const feed = async () => {
    for (; performance.now() - from < ms; done++) await reseal()
  }
  const batches = Math.ceil(awayBytes / packed.length)
  await Promise.all(Array.from({ length: Math.min(pool.room, batches) }, feed))
  const { user, system } = process.cpuUsage(cpuFrom)
  return {
    bytes: done * plain.length,
    seconds: (performance.now() - from) / 1_000,
    cpuSeconds: (user + system) / 1e6
  }
}

async function reseal(): Promise<void> {
  const task = { fromOffset: 0, skipRecords: 0, appendTime: 'keep', maxBytes: 1_048_576 } as const
  const { to } = cell
  const result = await pool.reseal({ ...task, codec: to, bytes: new Uint8Array(packed) })
  if ('failure' in result) throw new Error(result.detail)
  if (result.batches.length !== 1) throw new Error(`${result.batches.length} batches came back`)
}

/** What compaction leaves, written as Java does: every third record is gone. */
function makeBatch(
  { codec, recordBytes }: ResealCell,
  count: number
): Record<'plain' | 'packed', Buffer> {
  const text = Buffer.from(sampleRecords(300, 1_000).join(''))
  const records = Array.from({ length: count }, (_, index): RecordInput => {
    const key = `key-${index}`
    const valueBytes = recordBytes - key.length
    const at = (index * valueBytes) % (text.length - valueBytes)
    return {
      key,
      value: text.subarray(at, at + valueBytes),
      timestamp: 1.7e12 + index,
      offsetDelta: index + Math.floor(index / 2)
    }
  })
  const plain = encodeBatch(records)
  const body = compress(codec, plain.subarray(headerBytes))
  const packed = Buffer.concat([plain.subarray(0, headerBytes), body])
  packed.writeInt32BE(packed.length - 12, 8)
  packed.writeInt16BE(codecNumber(codec), 21)
  return { plain, packed: seal(packed) }
}
