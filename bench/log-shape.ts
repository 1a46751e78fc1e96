// Owns a look at a real broker's log on disk: how many bytes and batches a topic has.

import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'

export interface LogShape {
  bytes: number
  batches: number
}

/** `dataDir` is the broker's log folder; all partitions are there. */
export async function logShape(
  dataDir: string,
  topic: string,
  partitions: number
): Promise<LogShape> {
  const shape = { bytes: 0, batches: 0 }
  for (let partition = 0; partition < partitions; partition++) {
    const folder = join(dataDir, `${topic}-${partition}`)
    for (const name of (await readdir(folder)).filter(file => file.endsWith('.log'))) {
      await addSegment(join(folder, name), shape)
    }
  }
  return shape
}

// A segment is batches end to end: baseOffset i64, length i32 of what follows, …
async function addSegment(path: string, shape: LogShape): Promise<void> {
  const file = await open(path)
  const head = Buffer.alloc(12)
  try {
    const { size } = await file.stat()
    let at = 0
    while (at + head.length <= size) {
      await file.read(head, 0, head.length, at)
      const length = head.readInt32BE(8)
      if (length <= 0) break // preallocated, nothing written yet
      at += head.length + length
      shape.batches++
    }
    shape.bytes += at
  } finally {
    await file.close()
  }
}
