// The process of the node-rdkafka contender: a record-by-record mirror until SIGTERM.
// Arguments: bootstrap servers and CA file of the source and of the target, topic, group, codec, batch bytes. Without a
// CA file the side is plain text.

import Kafka from 'node-rdkafka'

const [source = '', sourceCa = '', target = '', targetCa = '', ...rest] = process.argv.slice(2)
const [topic = '', group = '', codec = '', batchBytes = ''] = rest
const recordsPerConsume = 5_000
const queueFull = Kafka.CODES.ERRORS.ERR__QUEUE_FULL

const consumer = new Kafka.KafkaConsumer(
  {
    'bootstrap.servers': source,
    ...trust(sourceCa),
    'group.id': group,
    'enable.auto.commit': true
  },
  { 'auto.offset.reset': 'earliest' }
)
const producer = new Kafka.Producer({
  'bootstrap.servers': target,
  ...trust(targetCa),
  'compression.codec': codec as 'lz4',
  'batch.size': Number(batchBytes),
  'batch.num.messages': 1_000_000,
  'linger.ms': 50
})
let isEnding = false

process.on('SIGTERM', () => {
  isEnding = true
  producer.flush(10_000, () =>
    producer.disconnect(() => consumer.disconnect(() => process.exit(0)))
  )
})
consumer.on('event.error', error => console.error(error.message))
producer.on('event.error', error => console.error(error.message))
producer.on('ready', () => {
  producer.setPollInterval(50)
  consumer.connect()
})
consumer.on('ready', () => {
  consumer.subscribe([topic])
  mirror()
})
producer.connect()

function trust(caPath: string): { 'security.protocol'?: 'ssl'; 'ssl.ca.location'?: string } {
  return caPath === '' ? {} : { 'security.protocol': 'ssl', 'ssl.ca.location': caPath }
}

function mirror(): void {
  if (isEnding) return
  consumer.consume(recordsPerConsume, (error, records) => {
    if (error) console.error(error.message)
    pass(records ?? [], 0)
  })
}

/** Produces from `first` on; a full queue is waited for. */
function pass(records: readonly Kafka.Message[], first: number): void {
  for (let at = first; at < records.length; at++) {
    const { partition, value, key, timestamp, headers } = records[at] as Kafka.Message
    try {
      producer.produce(topic, partition, value, key, timestamp, null, headers)
    } catch (error) {
      if ((error as { code?: number }).code !== queueFull) throw error
      producer.poll()
      setTimeout(() => pass(records, at), 5)
      return
    }
  }
  setImmediate(mirror)
}
