// Owns naming the first record in which two partitions differ.

import { VarintReader } from './varint.ts'

export type CanonicalRecord = {
  offset: number
  timestamp: number
  timestampType: 'create' | 'append'
  /** The encoded record from its key length on. */
  body: Buffer
}

export type FirstDifference = { what: string; sourceOffset?: number; targetOffset?: number }

/** Both sides are read in step up to the first difference; a few records after it tell what happened. */
export async function nameDifference(
  source: AsyncGenerator<CanonicalRecord>,
  target: AsyncGenerator<CanonicalRecord>
): Promise<FirstDifference> {
  let before: CanonicalRecord | undefined
  for (;;) {
    const [ours, theirs] = await Promise.all([take(source), take(target)])
    if (ours === undefined && theirs === undefined) {
      return { what: 'no difference found record by record: a side changed while it was read' }
    }
    if (ours !== undefined && theirs !== undefined && areEqual(ours, theirs)) {
      before = ours
      continue
    }
    const [ourNext, theirNext] = await Promise.all([takeSome(source), takeSome(target)])
    return {
      what: describe(before, ours, ourNext, theirs, theirNext),
      ...(ours === undefined ? {} : { sourceOffset: ours.offset }),
      ...(theirs === undefined ? {} : { targetOffset: theirs.offset })
    }
  }
}

// How many records after the first difference are looked at for the place where both sides meet again.
const lookAhead = 1_000

function describe(
  before: CanonicalRecord | undefined,
  ours: CanonicalRecord | undefined,
  ourNext: CanonicalRecord[],
  theirs: CanonicalRecord | undefined,
  theirNext: CanonicalRecord[]
): string {
  if (theirs === undefined) return 'missing on the target, which ends before it'
  const theirsLater = ourNext.findIndex(record => areEqual(record, theirs)) + 1
  if (theirsLater === 0 && areEqual(before, theirs)) return 'the target has the record before twice'
  if (ours === undefined) return 'the target goes on after the end of the source'
  const oursLater = theirNext.findIndex(record => areEqual(ours, record)) + 1
  if (oursLater === 1 && theirsLater === 1) return 'swapped with the next record'
  if (oursLater > 0 && theirsLater > 0)
    return `out of order: comes ${oursLater} later on the target`
  if (theirsLater > 0) return `missing on the target (${count(theirsLater)})`
  if (oursLater > 0) return `the target has ${count(oursLater)} before it that the source has not`
  return `${changedParts(ours, theirs).join(', ')} changed`
}

function count(records: number): string {
  return records === 1 ? 'one record' : `${records} records`
}

function changedParts(ours: CanonicalRecord, theirs: CanonicalRecord): string[] {
  const changed: string[] = []
  if (ours.timestamp !== theirs.timestamp) changed.push('timestamp')
  if (ours.timestampType !== theirs.timestampType) changed.push('timestamp type')
  const [ourParts, theirParts] = [splitBody(ours.body), splitBody(theirs.body)]
  for (const part of ['key', 'value', 'headers'] as const) {
    if (!ourParts[part].equals(theirParts[part])) changed.push(part)
  }
  return changed
}

// Each part with its length or count in front, so that null is not the same as empty.
function splitBody(body: Buffer): { key: Buffer; value: Buffer; headers: Buffer } {
  const reader = new VarintReader(body)
  const skip = () => {
    const length = reader.next()
    reader.at += Math.max(0, length)
    return reader.at
  }
  const keyEnd = skip()
  const valueEnd = skip()
  return {
    key: body.subarray(0, keyEnd),
    value: body.subarray(keyEnd, valueEnd),
    headers: body.subarray(valueEnd)
  }
}

function areEqual(a: CanonicalRecord | undefined, b: CanonicalRecord | undefined): boolean {
  if (a === undefined || b === undefined) return false
  return a.timestamp === b.timestamp && a.timestampType === b.timestampType && a.body.equals(b.body)
}

async function take(
  records: AsyncGenerator<CanonicalRecord>
): Promise<CanonicalRecord | undefined> {
  const next = await records.next()
  return next.done === true ? undefined : next.value
}

async function takeSome(records: AsyncGenerator<CanonicalRecord>): Promise<CanonicalRecord[]> {
  const taken: CanonicalRecord[] = []
  for await (const record of records) {
    taken.push(record)
    if (taken.length === lookAhead) break
  }
  return taken
}
