// Speaks TLS in three ways at once: to a broker through the addon, to it through node-rdkafka, whose librdkafka is another
// copy, and to a web server through Node's own https. Runs in a test's process, or as a worker thread that goes on until it
// is ended; node-rdkafka cannot be loaded by a second thread.

import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { get } from 'node:https'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { Cluster, type Properties } from '../../src/native/index.ts'

export type Company = {
  /** Of the TLS listener, for librdkafka of either copy. */
  settings: Properties
  caPath: string
  topic: string
  /** Of the web server. */
  url: string
}

export type Round = { addon: number; nodeRdkafka?: number; body: string }

const timeoutMs = 20_000

/** Every client is opened, asked and closed. */
export async function visitAll(company: Company): Promise<Round> {
  const [others, nodeRdkafka] = await Promise.all([visitOthers(company), askNodeRdkafka(company)])
  return { ...others, nodeRdkafka }
}

async function visitOthers(company: Company): Promise<Round> {
  const [addon, body] = await Promise.all([askAddon(company), askServer(company)])
  return { addon, body }
}

/** The end of partition 0 as the addon sees it. */
async function askAddon({ settings, topic }: Company): Promise<number> {
  const cluster = new Cluster(settings)
  try {
    const { topics } = await cluster.metadata([topic], timeoutMs)
    if (topics[0]?.partitions.length !== 1) throw new Error(`${topic} has no partition`)
    const [found] = await cluster.listOffsets(
      [{ topic, partition: 0 }],
      -1,
      'read_uncommitted',
      timeoutMs
    )
    return found?.offset ?? -1
  } finally {
    await cluster.close()
  }
}

/** The same, as node-rdkafka's librdkafka sees it. */
async function askNodeRdkafka({ settings, topic }: Company): Promise<number> {
  const { Producer } = (await import('node-rdkafka')).default
  const producer = new Producer({ ...settings })
  const ready = once(producer, 'ready', { signal: AbortSignal.timeout(timeoutMs) })
  producer.connect()
  await ready
  try {
    return await new Promise((resolve, reject) =>
      producer.queryWatermarkOffsets(topic, 0, timeoutMs, (error, offsets) =>
        error ? reject(error) : resolve(offsets.highOffset)
      )
    )
  } finally {
    await new Promise<void>(resolve => producer.disconnect(() => resolve()))
  }
}

async function askServer({ url, caPath }: Company): Promise<string> {
  const request = get(url, { ca: await readFile(caPath), agent: false, timeout: timeoutMs })
  const [response] = await once(request, 'response')
  let body = ''
  for await (const chunk of response) body += chunk
  return body
}

if (!isMainThread && (workerData as { company?: Company } | null)?.company !== undefined) {
  const { company } = workerData as { company: Company }
  for (;;) parentPort?.postMessage(await visitOthers(company))
}
