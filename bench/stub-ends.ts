// Owns the stub ends of a cell: two fresh processes for each run, and proxies in front of a far one.

import { setTimeout as delay } from 'node:timers/promises'
import { batchFile } from './batch-file.ts'
import { DelayProxy } from './delay-proxy.ts'
import type { Ends, Round } from './ends.ts'
import type { StubScenario } from './scenarios.ts'
import { StubBroker, type StubTotals } from './stub-broker.ts'

const topic = 'bench'
// The stub numbers them when there are several.
const severalTopics = `${topic}-.*`
// Longer than a full window of the proxies takes to arrive.
const arrivalLimitMs = 2_000
const pollMs = 20

export async function stubEnds(scenario: StubScenario): Promise<Ends> {
  const { partitions, totalWireBytes, recordBytes, roundTripMs = 0, far = 'source' } = scenario
  const { topics = 1, streams = 1 } = scenario
  const shape = { topic, topics, partitions: partitions / topics }
  const batch = await batchFile(scenario)
  const batches = Math.ceil(totalWireBytes / batch.bytes / partitions)
  const records = batches * partitions * batch.records
  const wireBytes = batches * partitions * batch.bytes

  async function begin(): Promise<Round> {
    const source = await startEnd(
      { role: 'source', ...shape, batches, 'batch-file': batch.path, 'raw-connections': streams },
      far === 'source' ? roundTripMs : 0
    )
    // The topic is there already: creating it is not what is measured. Sequences are always checked.
    const target = await startEnd(
      { role: 'target', ...shape, check: 'sequence' },
      far === 'target' ? roundTripMs : 0
    )
    const hasAll = async () => (await target.stub.totals()).bytes >= wireBytes
    return {
      topic: topics > 1 ? severalTopics : topic,
      source: source.address,
      target: target.address,
      rawSourcePort: source.rawPort,
      rawTargetPort: target.rawPort,
      hasAll,
      async close() {
        // What a relay has handed over before it ended may still be on its way.
        const deadline = Date.now() + (roundTripMs > 0 ? arrivalLimitMs : 0)
        while (Date.now() < deadline && !(await hasAll())) await delay(pollMs)
        const [sent, swallowed] = [await source.close(), await target.close()]
        const { bytes, outOfOrder, firstNs, lastNs } = swallowed
        return {
          firstNs,
          lastNs,
          sourceCpuSeconds: sent.userSeconds + sent.systemSeconds,
          targetCpuSeconds: swallowed.userSeconds + swallowed.systemSeconds,
          targetBatchBytes: batch.bytes,
          ...faultOf(bytes, wireBytes, outOfOrder)
        }
      }
    }
  }

  return {
    cargo: { wireBytes, recordBytes: records * recordBytes, records },
    begin,
    close: async () => {}
  }
}

/** A stub as contenders reach it. */
interface End {
  stub: StubBroker
  address: string
  rawPort: number
  close(): Promise<StubTotals>
}

async function startEnd(
  options: Readonly<Record<string, string | number>>,
  roundTripMs: number
): Promise<End> {
  if (roundTripMs === 0) {
    const stub = await StubBroker.start(options)
    return { stub, address: stub.address, rawPort: stub.rawPort, close: () => stub.close() }
  }
  const proxy = await DelayProxy.start(roundTripMs)
  const rawProxy = await DelayProxy.start(roundTripMs)
  const stub = await StubBroker.start({ ...options, 'advertised-port': proxy.port })
  proxy.forwardTo(stub.port)
  rawProxy.forwardTo(stub.rawPort)
  return {
    stub,
    address: proxy.address,
    rawPort: rawProxy.port,
    async close() {
      await Promise.all([proxy.close(), rawProxy.close()])
      return stub.close()
    }
  }
}

function faultOf(bytes: number, expected: number, outOfOrder: number): { fault?: string } {
  if (outOfOrder > 0) return { fault: `${outOfOrder} batches came out of sequence` }
  if (bytes !== expected) return { fault: `the target got ${bytes} bytes of ${expected}` }
  return {}
}
