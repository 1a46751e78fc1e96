// Results of the benchmark as the tests want them: every figure follows from a few numbers.

import type { Measurement, Run } from '../../bench/measurement.ts'
import type { Result } from '../../bench/result.ts'
import type { CellResult } from '../../bench/runner.ts'
import { scenarios } from '../../bench/scenarios.ts'

/** One run for each rate (MB/s on the wire): `cpu` seconds and `rss` MB for one GB that moved. */
export function runsOf(
  contender: string,
  rates: readonly number[],
  { cpu = 0.5, rss = 100 } = {}
): Measurement[] {
  return rates.map((rate, index) => ({
    contender,
    repeat: index + 1,
    wireBytes: 1e9,
    recordBytes: 2e9,
    records: 2e6,
    movingSeconds: 1_000 / rate,
    processSeconds: 1_000 / rate + 1,
    userSeconds: cpu * 0.75,
    systemSeconds: cpu * 0.5,
    movingCpuSeconds: cpu,
    peakRssBytes: rss * 1e6,
    sourceCpuSeconds: 1,
    targetCpuSeconds: 1,
    mainThreadShare: 0.01
  }))
}

export function cellOf(name: string, ...runs: Run[]): CellResult {
  const scenario = scenarios.find(each => each.name === name)
  if (scenario === undefined) throw new Error(`there is no cell ${name}`)
  return { scenario, cargo: { wireBytes: 1e9, recordBytes: 2e9, records: 2e6 }, runs }
}

export function resultOf(cells: CellResult[], changes: Partial<Result> = {}): Result {
  return {
    startedAt: '2026-01-02T03:04:05.678Z',
    settings: { argv: [] },
    units: 'MB = 10^6 bytes',
    machine: { processor: 'Test', cores: 2, memoryGb: 8, kernel: 'Linux 6.1' },
    versions: {
      commit: '0123456789',
      heliostat: '0.1.0',
      node: '20.19.0',
      librdkafka: '2.12.0',
      sourceKafka: '3.9.1',
      targetKafka: '4.1.1',
      java: 'openjdk 17',
      compiler: 'c++ 12'
    },
    contenders: { heliostat: 'as it is', 'raw-relay': 'one connection' },
    leftOut: [],
    cells,
    verdicts: [],
    ...changes
  }
}
