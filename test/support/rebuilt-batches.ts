// Gives a link workers that rebuild its batches, as a mirror does.

import assert from 'node:assert/strict'
import { pino } from 'pino'
import { BatchPool } from '../../src/batches/pool.ts'
import { Rebuilding } from '../../src/mirror/rebuilding.ts'
import { Repeats } from '../../src/mirror/repeats.ts'
import { Reseals } from '../../src/mirror/reseals.ts'
import type { Link } from '../../src/native/index.ts'
import type { Scope } from './mirror-process.ts'

const asTheyCame = { ruleFor: () => ({ levels: {}, isForced: false }) }

/** Before any lane is added. Batches keep their codec. */
export function rebuildBatches(t: Scope, link: Link): void {
  const pool = new BatchPool({ maxThreads: 1 })
  t.after(() => pool.close())
  new Reseals({
    link,
    threads: 1,
    rebuilding: new Rebuilding({
      pool,
      codecs: asTheyCame,
      lanes: { byId: () => ({ topic: 'any' }) }
    }),
    handling: undefined,
    log: pino({ enabled: false }),
    repeats: new Repeats(),
    onError: assert.fail
  })
}
