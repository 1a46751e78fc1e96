// Batches that `heliostat verify` passes over unopened: only where their records are the same, and with the same verdict as record by record.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { ChunkRecords } from '../../src/batches/chunk-records.ts'
import type { PartitionBatches } from '../../src/native/index.ts'
import { BatchRun, type ClosedBatch } from '../../src/verify/batch-run.ts'
import { compareTarget, type Sides } from '../../src/verify/compare.ts'
import { DigestPool } from '../../src/verify/digest-pool.ts'
import { openGate } from '../../src/verify/gate.ts'
import type { StreamSource } from '../../src/verify/record-stream.ts'
import { areTwins } from '../../src/verify/twins.ts'
import type { LaneTask, LaneVerdict, TargetTask } from '../../src/verify/types.ts'
import { type Codec, seal } from '../support/batch-header.ts'
import { type Random, seededRandom } from '../support/random.ts'
import { encodeBatch, type RecordInput } from '../support/records.ts'

const pool = new DigestPool()
after(() => pool.close())

const base = 1_700_000_000_000
const made = (number: number): RecordInput => ({
  key: `key-${number}`,
  value: `value of record ${number}`,
  headers: [['trace', `${number}`]],
  timestamp: base + number
})
const numbered = (count: number, first = 0) =>
  Array.from({ length: count }, (_, index) => made(first + index))

function closed(batch: Buffer): ClosedBatch {
  const { front } = new BatchRun({ bytes: bytesOf([batch]), aborted: [], from: 0, end: 1_000_000 })
  return front as ClosedBatch
}

function bytesOf(batches: readonly Buffer[]): ArrayBuffer {
  return new Uint8Array(Buffer.concat(batches)).buffer
}

test('a batch is only passed over when every bit that makes its records is the same', () => {
  for (const timestampType of ['create', 'append'] as const) {
    const batch = encodeBatch(numbered(3), { codec: 'none', timestampType, baseOffset: 7 })
    const source = closed(batch)
    for (let bit = 0; bit < 8 * batch.length; bit++) {
      const changed = Buffer.from(batch)
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
      const at = bit >> 3
      if (at >= 8 && at < 12) continue // its length: another piece of log
      const isOwn = at < 8 || (at >= 12 && at < 16) // base offset and leader epoch are each side's own
      const damaged = closed(changed)
      if (damaged) assert.equal(areTwins(source, damaged, true) && !isOwn, false, `bit ${bit}`)
      if (at < 21) continue
      // Not damaged but made so: only the producer's fields may differ, and the largest time, which follows from the records.
      const other = closed(seal(changed))
      const isTime = at >= 35 && at < 43
      const isProducer = (at >= 43 && at < 57) || (at === 22 && (bit & 7) === 4)
      const mayDiffer = isProducer || (isTime && timestampType === 'create')
      // Bits without a meaning, and those that make a batch unreadable or one without records.
      if (!other || at === 21 || (at === 22 && (bit & 7) !== 4 && (bit & 7) > 3)) continue
      assert.equal(areTwins(source, other, true), mayDiffer, `byte ${at} bit ${bit & 7} sealed`)
    }
  }
})

test('another codec, another cut and another number of records are looked into', () => {
  const source = closed(encodeBatch(numbered(5), { codec: 'lz4' }))
  const twin = encodeBatch(numbered(5), { codec: 'lz4', producerId: 9, baseSequence: 4 })
  assert.equal(areTwins(source, closed(twin), true), true)
  for (const batch of [
    encodeBatch(numbered(5), { codec: 'gzip' }),
    encodeBatch(numbered(4), { codec: 'lz4' }),
    encodeBatch(numbered(5), { codec: 'lz4', lastOffsetDelta: 6 }),
    encodeBatch([...numbered(4), { ...made(4), value: 'value of record x' }], { codec: 'lz4' })
  ]) {
    assert.equal(areTwins(source, closed(batch), true), false)
  }
})

test('times that the target sets itself do not matter where times are not compared', () => {
  const source = closed(encodeBatch(numbered(5)))
  const appended = Buffer.from(encodeBatch(numbered(5), { timestampType: 'append' }))
  appended.writeBigInt64BE(BigInt(base + 999_999), 35)
  assert.equal(areTwins(source, closed(seal(appended)), true), false)
  assert.equal(areTwins(source, closed(seal(appended)), false), true)
})

test('batches taken piece by piece give the records that the whole gives, markers and aborted ones left out', t => {
  const random = seededRandom(t)
  for (let round = 0; round < 60; round++) {
    const { batches, aborted, end } = transactional(random)
    const range = { from: random.between(0, end), end: random.between(0, end + 5) }
    const whole = offsetsOf({ bytes: bytesOf(batches), aborted, ...range })
    const run = new BatchRun({ bytes: bytesOf(batches), aborted, ...range })
    const pieces: number[] = []
    while (run.front) {
      if (random.between(0, 2) > 0) pieces.push(...offsetsOf(run.take(random.between(1, 30))))
      else {
        const from = run.front.header?.baseOffset ?? 0
        const { isWithin, records } = run.front
        // What is passed over has every record.
        if (isWithin) pieces.push(...Array.from({ length: records }, (_, index) => from + index))
        else pieces.push(...offsetsOf(run.take(1)))
        if (isWithin) run.pass()
      }
    }
    assert.deepEqual(pieces, whole, JSON.stringify({ round, range }))
  }
})

test('a verdict is the same whether batches were passed over or opened', async t => {
  const random = seededRandom(t)
  for (let round = 0; round < 60; round++) {
    const records = numbered(random.between(200, 3_000))
    const source = cut(records, random)
    const target = change(source, random)
    const shallow = await verdictOn(source, target, 'lz4')
    const opened = await verdictOn(source, target, 'gzip')
    const context = JSON.stringify({ round, shallow: shallow.verdict, opened: opened.verdict })
    assert.deepEqual(plain(shallow.verdict), plain(opened.verdict), context)
    for (const { state, source: ours, target: theirs } of [shallow.verdict, opened.verdict]) {
      assert.equal(ours?.digest === theirs?.digest, state === 'equal', context)
    }
    assert.equal(opened.passed, 0)
    if (shallow.verdict.state === 'equal' && target.length > 0) assert.ok(shallow.passed > 0)
  }
})

test('a batch that was cut in two is opened, and those behind it are not', async () => {
  const source = Array.from({ length: 100 }, (_, index) => numbered(50, 50 * index))
  const target = source.flatMap((records, index) =>
    index === 40 ? [records.slice(0, 20), records.slice(20)] : [records]
  )
  const { verdict, passed, opened } = await verdictOn(source, target, 'lz4')
  assert.equal(verdict.state, 'equal')
  assert.deepEqual([verdict.matched, passed, opened], [5_000, 2 * 4_950, 100])
})

test('a record far behind that comes a second time is known, though it was passed over', async () => {
  const source = Array.from({ length: 400 }, (_, index) => numbered(50, 50 * index))
  const target = [...source.slice(0, 300), numbered(50, 50 * 120), ...source.slice(300)]
  const { verdict, passed } = await verdictOn(source, target, 'lz4')
  assert.deepEqual(verdict.counts.duplicated, 50)
  assert.equal(verdict.first?.targetOffset, 15_000)
  assert.ok(passed > 2 * 19_000, String(passed))
})

test('batches that never agree are opened by the answer', async () => {
  const records = numbered(60_000)
  const source = cutBy(records, 70)
  const target = cutBy(records, 110)
  const { verdict, tasks, reads } = await verdictOn(source, target, 'lz4')
  assert.deepEqual([verdict.state, verdict.matched], ['equal', 60_000])
  assert.ok(tasks < 1.5 * reads, `${tasks} pieces of ${reads} answers`)
})

/** What does not depend on the way. */
function plain({ state, matched, counts, first, firstOfClass, remarks }: LaneVerdict) {
  return { state, matched, counts, first, firstOfClass, remarks }
}

type Piece = RecordInput[]

function cut(records: readonly RecordInput[], random: Random): Piece[] {
  const pieces: Piece[] = []
  for (let at = 0; at < records.length; ) {
    const count = random.between(1, 60)
    pieces.push(records.slice(at, at + count))
    at += count
  }
  return pieces
}

function cutBy(records: readonly RecordInput[], count: number): Piece[] {
  const turns = Math.ceil(records.length / count)
  return Array.from({ length: turns }, (_, index) =>
    records.slice(index * count, (index + 1) * count)
  )
}

/** A few batches cut in two, put together, doubled, dropped or moved, and a few of their records changed. */
function change(pieces: readonly Piece[], random: Random): Piece[] {
  const changed = [...pieces]
  for (let count = random.between(0, 4); count > 0; count--) {
    const at = random.between(0, changed.length - 1)
    const piece = changed[at] ?? []
    const place = random.between(0, Math.max(0, piece.length - 1))
    const kind = random.between(0, 7)
    if (kind === 0) changed.splice(at, 1, piece.slice(0, place), piece.slice(place))
    else if (kind === 1) changed.splice(at, 2, [...piece, ...(changed[at + 1] ?? [])])
    else if (kind === 2) changed.splice(random.between(0, changed.length), 0, piece)
    else if (kind === 3) changed.splice(at, 1)
    else if (kind === 4) changed.splice(random.between(0, at), 0, ...changed.splice(at, 1))
    else if (kind === 5) changed[at] = piece.filter((_, index) => index !== place)
    else if (kind === 6) {
      changed[at] = piece.map((each, index) => (index === place ? { ...each, value: 'x' } : each))
    } else changed[at] = piece.map(each => ({ ...each, timestamp: (each.timestamp ?? 0) + 1 }))
  }
  return changed.filter(piece => piece.length > 0)
}

async function verdictOn(source: readonly Piece[], target: readonly Piece[], codec: Codec) {
  const seen = { passed: 0, opened: 0, tasks: 0, reads: 0 }
  const sourceLog = asLog(source, 'lz4', 5)
  const targetLog = asLog(target, codec, 0)
  const sideOf = (log: Log): StreamSource => ({
    reader: {
      side: 'source',
      read: async ({ offset }, bytes) => {
        seen.reads++
        return readLog(log, offset, bytes)
      }
    },
    pool: {
      digest: chunk => {
        seen.tasks++
        return pool.digest(chunk)
      }
    },
    chunkBytes: () => 16_384,
    chunksAhead: 2,
    note: records => {
      seen.opened += records
    },
    notePassed: records => {
      seen.passed += records
    }
  })
  const sides: Sides = { sources: [sideOf(sourceLog)], target: sideOf(targetLog), wide: openGate }
  const [verdict] = await compareTarget(taskFor(sourceLog.end, targetLog.end), sides)
  return { verdict: verdict as LaneVerdict, ...seen }
}

interface Log {
  batches: Buffer[]
  end: number
}

function asLog(pieces: readonly Piece[], codec: Codec, firstOffset: number): Log {
  let end = firstOffset
  const batches = pieces.map(piece => {
    const batch = encodeBatch(piece, { codec, baseOffset: end })
    end += piece.length
    return batch
  })
  return { batches, end }
}

/** Whole batches from the offset on, as many as fit and one at least. */
function readLog({ batches, end }: Log, offset: number, bytes: number): PartitionBatches {
  const found: Buffer[] = []
  let size = 0
  for (const batch of batches) {
    const last = Number(batch.readBigInt64BE(0)) + batch.readInt32BE(23)
    if (last < offset) continue
    if (found.length > 0 && size + batch.length > bytes) break
    found.push(batch)
    size += batch.length
  }
  return {
    topic: 'orders',
    partition: 0,
    logStartOffset: 0,
    highWatermark: end,
    lastStableOffset: end,
    aborted: [],
    bytes: bytesOf(found)
  }
}

function taskFor(sourceEnd: number, targetEnd: number): TargetTask {
  const place = { topic: 'orders', partition: 0 }
  const lane: LaneTask = {
    ...place,
    source: 0,
    alias: 'source',
    logStart: 0,
    from: 0,
    end: sourceEnd,
    committed: sourceEnd,
    committedTargetEnd: undefined,
    mayHaveBegunLate: false,
    remarks: []
  }
  return {
    ...place,
    logStart: 0,
    from: 0,
    end: targetEnd,
    lanes: [lane],
    isCompacted: false,
    isAppendTime: false,
    deleteRetentionMs: 0
  }
}

/** Batches of three producers, each in a transaction that is committed, aborted or left open. */
function transactional(random: Random) {
  const batches: Buffer[] = []
  const aborted: { producerId: number; firstOffset: number }[] = []
  const open = new Map<number, number>()
  let end = 0
  const add = (records: RecordInput[], options: object) => {
    batches.push(encodeBatch(records, { baseOffset: end, ...options }))
    end += Math.max(1, records.length)
  }
  for (let step = random.between(1, 40); step > 0; step--) {
    const producerId = random.between(0, 3)
    const kind = random.between(0, 4)
    if (producerId === 3) add(numbered(random.between(0, 20), end), {})
    else if (kind > 1 || !open.has(producerId)) {
      if (!open.has(producerId)) open.set(producerId, end)
      add(numbered(random.between(1, 20), end), {
        producerId,
        producerEpoch: 0,
        isTransactional: true
      })
    } else {
      if (kind === 0) aborted.push({ producerId, firstOffset: open.get(producerId) as number })
      open.delete(producerId)
      const marker = [{ key: Buffer.from([0, 0, 0, kind]), value: Buffer.alloc(6) }]
      add(marker, { producerId, producerEpoch: 0, isTransactional: true, isControl: true })
    }
  }
  return { batches, aborted, end }
}

function offsetsOf({ bytes, aborted, from, end }: Parameters<typeof reading>[0]): number[] {
  const records = reading({ bytes, aborted, from, end })
  const offsets: number[] = []
  while (records.next()) offsets.push(records.record.offset)
  return offsets
}

function reading({ bytes, aborted, from, end }: ConstructorParameters<typeof BatchRun>[0]) {
  return new ChunkRecords(bytes, { fromOffset: from, endOffset: end, aborted })
}
