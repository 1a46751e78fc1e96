// Owns the stub ends of a cell: two fresh processes for each run.

import { batchFile } from './batch-file.ts'
import type { Ends, Round } from './ends.ts'
import type { StubScenario } from './scenarios.ts'
import { StubBroker } from './stub-broker.ts'

const topic = 'bench'

export async function stubEnds(scenario: StubScenario): Promise<Ends> {
  const { partitions, totalWireBytes, recordBytes } = scenario
  const batch = await batchFile(scenario)
  const batches = Math.ceil(totalWireBytes / batch.bytes / partitions)
  const records = batches * partitions * batch.records
  const wireBytes = batches * partitions * batch.bytes

  async function begin(): Promise<Round> {
    const source = await StubBroker.start({
      role: 'source',
      topic,
      partitions,
      batches,
      'batch-file': batch.path
    })
    // The topic is there already: creating it is not what is measured. Sequences are always checked.
    const target = await StubBroker.start({ role: 'target', topic, partitions, check: 'sequence' })
    return {
      topic,
      source: source.address,
      target: target.address,
      rawSourcePort: source.rawPort,
      rawTargetPort: target.rawPort,
      hasAll: async () => (await target.totals()).bytes >= wireBytes,
      async close() {
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

function faultOf(bytes: number, expected: number, outOfOrder: number): { fault?: string } {
  if (outOfOrder > 0) return { fault: `${outOfOrder} batches came out of sequence` }
  if (bytes !== expected) return { fault: `the target got ${bytes} bytes of ${expected}` }
  return {}
}
