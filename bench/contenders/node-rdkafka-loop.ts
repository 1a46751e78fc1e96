// What a Node.js team writes first: consume 5,000 records with node-rdkafka, produce each of them.

import { join } from 'node:path'
import Kafka from 'node-rdkafka'
import type { Contender } from '../contender.ts'

export const nodeRdkafkaLoop: Contender = {
  says: "node-rdkafka, consume(5000) then produce, codec and batch.size as the cell's, linger.ms 50",
  endsByItself: false,
  unfit(codec) {
    const isMissing = codec === 'zstd' && !Kafka.features.includes('zstd')
    return isMissing ? 'node-rdkafka was built without libzstd' : undefined
  },
  async command({ codec, batchBytes, source, sourceCa = '', target, targetCa = '', topic, group }) {
    const script = join(import.meta.dirname, '..', 'rdkafka-loop.js')
    const ends = [source, sourceCa, target, targetCa]
    return [process.execPath, script, ...ends, topic, group, codec, `${batchBytes}`]
  }
}
