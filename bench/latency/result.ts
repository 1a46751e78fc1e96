// Owns the shape of a latency result: what the JSON file holds and the reports are made from.

import type { Result } from '../result.ts'
import type { LatencyRun } from './run.ts'
import type { Schedule } from './schedule.ts'

export interface LatencyResult
  extends Pick<
    Result,
    'startedAt' | 'settings' | 'units' | 'machine' | 'versions' | 'contenders' | 'leftOut'
  > {
  schedule: Schedule
  runs: LatencyRun[]
}
