// What a Node.js team writes first: consume 5,000 records with node-rdkafka, produce each of them.

import { join } from 'node:path'
import type { Contender } from '../contender.ts'

export const nodeRdkafkaLoop: Contender = {
  says: "node-rdkafka, consume(5000) then produce, lz4, batch.size as the cell's batches, linger.ms 50",
  endsByItself: false,
  async command({ codec, batchBytes, source, target, topic, group }) {
    const script = join(import.meta.dirname, '..', 'rdkafka-loop.js')
    return [process.execPath, script, source, target, topic, group, codec, `${batchBytes}`]
  }
}
