// Owns the one record of a control batch: whether it ends its transaction in an abort.

import { malformed } from './batch-fault.ts'
import type { RecordSource } from './record-view.ts'

const abortType = 0

// key: version i16, type i16 (0 abort, 1 commit, others are no end of a transaction).
export function isAbortMarker(records: RecordSource): boolean {
  if (!records.next()) return false
  const key = records.record.key()
  if (key === null || key.length < 4) throw malformed('a control record has no type')
  return key.readInt16BE(2) === abortType
}
