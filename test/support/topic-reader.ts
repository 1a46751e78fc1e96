// Owns reading a topic from its first to its last record, as a consumer of an isolation level sees it.

import { headerBytes, isIntact } from './batch-header.ts'
import { decompress } from './codecs.ts'
import type { FetchResponse, Isolation, RawBatch, RawClient } from './raw-client.ts'
import { VarintReader } from './varint.ts'

export type ReadOptions = {
  isolation?: Isolation
  /** First offset; the start of the log unless given. */
  from?: number
  /** Reads below this offset; the end seen at the start unless given. */
  to?: number
}

/** The data batches of a partition; control batches are left out, and aborted ones under read_committed. */
export async function* readBatches(
  client: RawClient,
  topic: string,
  partition: number,
  { isolation = 'read_uncommitted', from, to }: ReadOptions = {}
): AsyncGenerator<RawBatch> {
  const end = to ?? (await client.listOffset(topic, partition, 'latest', isolation))
  let offset = from ?? (await client.listOffset(topic, partition, 'earliest'))
  const fetch = (at: number) => client.fetch({ topic, partition, offset: at, isolation })
  let next = offset < end ? fetch(offset) : undefined
  while (next !== undefined) {
    const response = await next
    const last = response.batches.at(-1)
    // Compaction can leave a hole at the end: nothing more comes below it.
    if (last === undefined) return
    offset = offsetAfter(last)
    // Asked for ahead, so that the broker reads while this side works.
    next = offset < end ? fetch(offset) : undefined
    next?.catch(() => {})
    for (const batch of visibleBatches(response, isolation)) {
      if (batch.header.baseOffset < end) yield batch
    }
  }
}

export function offsetAfter({ header }: RawBatch): number {
  return header.baseOffset + header.lastOffsetDelta + 1
}

function visibleBatches(response: FetchResponse, isolation: Isolation): RawBatch[] {
  const data = response.batches
  if (isolation === 'read_uncommitted') return data.filter(({ header }) => !header.isControl)
  const starting = response.aborted.toSorted((a, b) => a.firstOffset - b.firstOffset)
  const aborting = new Set<number>()
  return data.filter(batch => {
    const { producerId, isControl, isTransactional } = batch.header
    while (starting.length > 0 && (starting[0]?.firstOffset as number) < offsetAfter(batch)) {
      aborting.add(starting.shift()?.producerId as number)
    }
    // Any marker ends the producer's transaction; after a committed one the producer was not in the set.
    if (isControl) aborting.delete(producerId)
    return !isControl && !(isTransactional && aborting.has(producerId))
  })
}

/**
 * Gives a batch's records in canonical form: timestamp f64, its type i8, then the record from its key length on,
 * which tells null from empty and says its own end. Offsets are not part of it.
 */
export function forEachRecord(
  { header, bytes }: RawBatch,
  visit: (offset: number, timestamp: number, body: Buffer, start: number, end: number) => void
): void {
  if (!isIntact(bytes)) throw new Error(`batch at offset ${header.baseOffset}: wrong CRC`)
  const body = decompress(header.codec, bytes.subarray(headerBytes))
  const isAppendTime = header.timestampType === 'append'
  const reader = new VarintReader(body)
  for (let index = 0; index < header.recordCount; index++) {
    const length = reader.next()
    const end = reader.at + length
    reader.at += 1
    const delta = reader.next()
    const offset = header.baseOffset + reader.next()
    visit(
      offset,
      isAppendTime ? header.maxTimestamp : header.baseTimestamp + delta,
      body,
      reader.at,
      end
    )
    reader.at = end
  }
}
