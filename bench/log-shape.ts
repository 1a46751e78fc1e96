// Owns a look at a real broker's log on disk: how many bytes, batches and records a topic has.

import { type FileHandle, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { headerBytes, readBatchHeader } from '../test/support/batch-header.ts'

export interface LogShape {
  bytes: number
  batches: number
  /** Without the markers that end transactions. */
  records: number
}

// What lies before the part of a batch that its length counts.
const frontBytes = 12
// Many small batches are read with one call, and of large ones little more than their headers.
const windowBytes = 64 * 1024

/** `dataDir` is the broker's log folder; all partitions are there. */
export async function logShape(
  dataDir: string,
  topic: string,
  partitions: number
): Promise<LogShape> {
  const shape = { bytes: 0, batches: 0, records: 0 }
  for (let partition = 0; partition < partitions; partition++) {
    const folder = join(dataDir, `${topic}-${partition}`)
    for (const name of (await readdir(folder)).filter(file => file.endsWith('.log'))) {
      await addSegment(join(folder, name), shape)
    }
  }
  return shape
}

async function addSegment(path: string, shape: LogShape): Promise<void> {
  const file = await open(path)
  try {
    shape.bytes += await addBatches(file, shape)
  } finally {
    await file.close()
  }
}

/** A segment is batches end to end. Returns where the last one ends. */
async function addBatches(file: FileHandle, shape: LogShape): Promise<number> {
  const window = Buffer.alloc(windowBytes)
  let windowAt = 0
  let held = 0
  for (let at = 0; ; ) {
    if (at + headerBytes > windowAt + held) {
      windowAt = at
      held = (await file.read(window, 0, windowBytes, at)).bytesRead
      if (held < headerBytes) return at
    }
    const header = readBatchHeader(window.subarray(at - windowAt))
    if (header.batchLength <= 0) return at // preallocated, nothing written yet
    at += frontBytes + header.batchLength
    shape.batches++
    if (!header.isControl) shape.records += header.recordCount
  }
}
