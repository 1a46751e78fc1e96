// Times the mirror by what arrives at the target, from the first record of a backlog to the last.

import { setTimeout as sleep } from 'node:timers/promises'
import { RunError } from '../errors.ts'
import { Cluster } from '../native/index.ts'

export interface BacklogOptions {
  /** The target's. */
  bootstrapServers: string
  topic: string
  partitions: number
  records: number
  timeoutMs: number
}

export interface Timing {
  durationMs: number
  /** Of the whole process, both embedded clusters included. */
  cpuSeconds: number
}

// Asking more often would take time from what is measured.
const askEveryMs = 2

export async function timeBacklog(options: BacklogOptions): Promise<Timing> {
  const target = new Cluster({ 'bootstrap.servers': options.bootstrapServers })
  try {
    return await waitForAll(target, options)
  } finally {
    await target.close()
  }
}

async function waitForAll(target: Cluster, options: BacklogOptions): Promise<Timing> {
  const deadline = Date.now() + options.timeoutMs
  let startedAt = performance.now()
  let startedCpu = process.cpuUsage()
  for (;;) {
    const arrived = await countRecords(target, options)
    if (arrived >= options.records) break
    if (Date.now() > deadline) {
      const { records, timeoutMs } = options
      throw new RunError(`${arrived} of ${records} records reached the target in ${timeoutMs} ms`)
    }
    if (arrived === 0) {
      startedAt = performance.now()
      startedCpu = process.cpuUsage()
    }
    await sleep(askEveryMs)
  }
  const { user, system } = process.cpuUsage(startedCpu)
  return { durationMs: performance.now() - startedAt, cpuSeconds: (user + system) / 1e6 }
}

async function countRecords(target: Cluster, options: BacklogOptions): Promise<number> {
  const { topic, partitions, timeoutMs } = options
  const list = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  const ends = await target.listOffsets(list, -1, 'read_uncommitted', timeoutMs)
  return ends.reduce((sum, { offset }) => sum + Math.max(0, offset), 0)
}
