// Owns what one run of one contender is said to have done and cost, and the figures made from it.
// MB and GB are 10^6 and 10^9 bytes everywhere in the bench.

export interface Measurement {
  contender: string
  repeat: number
  /** Bytes of record batches as they travel, compressed. */
  wireBytes: number
  /** Bytes of keys and values before compression. */
  recordBytes: number
  records: number
  /** From the first byte (stub) or record (real brokers) that the target had to the last one. */
  movingSeconds: number
  /** The contender's whole process: start, work and exit. */
  processSeconds: number
  userSeconds: number
  systemSeconds: number
  /** User and system seconds between the first and the last byte, from samples of the process. */
  movingCpuSeconds: number
  peakRssBytes: number
  /** Of the broker processes, while the contender ran. */
  sourceCpuSeconds: number
  targetCpuSeconds: number
  /** Share of one core that the process's first thread took over ten seconds of moving (or as long as it moved). */
  mainThreadShare: number
  /** Mean size of a batch on the target; undefined where it cannot be seen. */
  targetBatchBytes?: number
}

export interface FailedRun {
  contender: string
  repeat: number
  failure: string
}

export type Run = Measurement | FailedRun

export function isMeasurement(run: Run): run is Measurement {
  return !('failure' in run)
}

export const figures = {
  wireMbPerSecond: run => run.wireBytes / 1e6 / run.movingSeconds,
  recordMbPerSecond: run => run.recordBytes / 1e6 / run.movingSeconds,
  recordsPerSecond: run => run.records / run.movingSeconds,
  cpuPerWireGb: run => cpuSeconds(run) / (run.wireBytes / 1e9),
  cpuPerRecordGb: run => cpuSeconds(run) / (run.recordBytes / 1e9),
  movingCpuPerWireGb: run => run.movingCpuSeconds / (run.wireBytes / 1e9),
  movingCpuPerRecordGb: run => run.movingCpuSeconds / (run.recordBytes / 1e9),
  peakRssMb: run => run.peakRssBytes / 1e6,
  movingSeconds: run => run.movingSeconds,
  processSeconds: run => run.processSeconds,
  sourceCpuSeconds: run => run.sourceCpuSeconds,
  targetCpuSeconds: run => run.targetCpuSeconds,
  mainThreadPercent: run => run.mainThreadShare * 100
} as const satisfies Record<string, (run: Measurement) => number>

export type Figure = keyof typeof figures

function cpuSeconds(run: Measurement): number {
  return run.userSeconds + run.systemSeconds
}
