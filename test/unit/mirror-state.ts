// A mirror's state as observers see it, for their tests.

import type { LaneView, LinkState, MirrorState } from '../../src/mirror/types.ts'

export function laneView(given: Partial<LaneView> = {}): LaneView {
  return {
    topic: 'orders',
    partition: 0,
    targetTopic: 'orders',
    state: 'running',
    reason: 'none',
    errorCode: 0,
    checkpoint: 110,
    committed: 100,
    lag: 5,
    records: 10,
    bytes: 2_000,
    batchesShallow: 2,
    skippedControl: 1,
    skippedAborted: 0,
    skippedEmpty: 0,
    resealHeadTrim: 0,
    resealHoles: 0,
    resealOldFormat: 0,
    resealOldBroker: 0,
    resealAppendTime: 0,
    resealTooLarge: 0,
    resealRefused: 0,
    resealCodecUnsupported: 0,
    resealForced: 0,
    transformed: 0,
    batchesMerged: 0,
    skippedArrived: 0,
    firstSource: 100,
    lastSource: 109,
    firstTarget: 0,
    lastTarget: 9,
    maybeDoubled: 0,
    lost: 0,
    gaps: [],
    delivery: 'at-least-once',
    deliveryReason: 'foreign-commit',
    ...given
  }
}

export function linkState(lanes: LaneView[], given: Partial<LinkState> = {}): LinkState {
  const lanesByState = {
    starting: 0,
    running: 0,
    'caught-up': 0,
    'backing-off': 0,
    draining: 0,
    drained: 0,
    stopped: 0
  }
  for (const { state } of lanes) if (state !== 'revoked') lanesByState[state]++
  return {
    source: 'east',
    target: 'west',
    totals: {
      fetchRequests: 7,
      fetchResponseBytes: 5_000,
      produceRequests: 3,
      produceRequestBytes: 4_100,
      produceErrors: 0,
      fetchErrors: 1,
      retriedBatches: 0,
      batchesAcknowledged: 4,
      recordsAcknowledged: 20,
      bytesAcknowledged: 4_000,
      discardedBytes: 100,
      budgetUsedBytes: 300,
      boundBySourceMs: 250,
      boundByTargetMs: 740,
      boundByBudgetMs: 10,
      boundByQueueSizeMs: 0,
      throttledMs: 0,
      connections: 3
    },
    lanesByState,
    topics: 1,
    lag: 5,
    commits: { ok: 2, failed: 0, lastOkAt: 1_700_000_000_000 },
    rebalances: { assigned: 1, revoked: 0, lost: 0 },
    lastDiscoveryAt: 1_700_000_001_000,
    lanes: () => lanes,
    ...given
  }
}

export function mirrorState(links: LinkState[], given: Partial<MirrorState> = {}): MirrorState {
  return {
    startedAt: 1_700_000_000_000,
    phase: 'mirroring',
    ready: true,
    checks: [{ name: 'source', ok: true, detail: 'east was reached' }],
    budgetBytes: 100_663_296,
    links,
    ...given
  }
}
