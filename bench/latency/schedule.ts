// Owns which records a run has: one to each partition that shows whether the mirror is there, then a steady load of
// which the first part warms up and the rest is counted.

export interface Schedule {
  /** Those that get records; in the topic they come first. */
  partitions: number
  idlePartitions: number
  recordBytes: number
  recordsPerSecond: number
  /** Numbers from here on belong to the steady load; those below are the first sign. */
  steadyFrom: number
  /** Numbers from here on are counted. */
  countedFrom: number
  /** All records; a number is below. */
  records: number
}

const partitions = 16
const recordBytes = 1_024

export function makeSchedule(load: {
  mbPerSecond: number
  warmUpSeconds: number
  seconds: number
  idlePartitions?: number
}): Schedule {
  const recordsPerSecond = (load.mbPerSecond * 1e6) / recordBytes
  const countedFrom = partitions + Math.round(recordsPerSecond * load.warmUpSeconds)
  const records = countedFrom + Math.max(1, Math.round(recordsPerSecond * load.seconds))
  return {
    partitions,
    idlePartitions: load.idlePartitions ?? 0,
    recordBytes,
    recordsPerSecond,
    steadyFrom: partitions,
    countedFrom,
    records
  }
}
