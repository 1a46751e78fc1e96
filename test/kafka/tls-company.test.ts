// P12: the addon, node-rdkafka and Node's own https speak TLS in one process, in several threads, and threads end in the
// middle of all that. Each has its own OpenSSL: a symbol that is taken from the wrong one would crash or refuse.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { makeCertificates } from '../support/certificates.ts'
import { type KafkaCluster, startBroker } from '../support/kafka-broker.ts'
import { targetVersion } from '../support/kafka-jars.ts'
import { createTopic } from '../support/kafka-tools.ts'
import { run } from '../support/native-program.ts'
import { RawClient } from '../support/raw-client.ts'
import { encodeBatch } from '../support/records.ts'
import { type Company, type Round, visitAll } from '../support/tls-company.ts'

const company = fileURLToPath(new URL('../support/tls-company.js', import.meta.url))
const limit = { timeout: 180_000 }
const body = 'over TLS'
const records = 3
const rounds = 5

let broker: KafkaCluster
let server: Server
let folder: string
let visited: Company

before(async () => {
  broker = await startBroker({
    version: targetVersion,
    security: { protocol: 'SSL' }
  })
  const topic = `company-${randomUUID()}`
  await createTopic(broker.bootstrap, topic, 1)
  const client = new RawClient(broker.bootstrap)
  const batch = Array.from({ length: records }, (_, index) => ({ value: `${index}` }))
  await client.append(topic, 0, encodeBatch(batch))
  client.close()

  folder = await mkdtemp(join(tmpdir(), 'heliostat-company-'))
  const { client: files, keystores } = await makeCertificates(folder, new Set(['good']))
  const both = await readFile(keystores.good as string)
  server = createServer({ key: both, cert: both }, (_, response) => response.end(body))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { bootstrap, caPath } = broker.secured as { bootstrap: string; caPath: string }
  visited = {
    settings: {
      'bootstrap.servers': bootstrap,
      'security.protocol': 'ssl',
      'ssl.ca.location': caPath
    },
    caPath: files.caPath,
    topic,
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`
  }
})
after(async () => {
  server?.closeAllConnections()
  server?.close()
  await broker?.close()
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
})

const expected: Round = { addon: records, nodeRdkafka: records, body }

test('P12: all three speak TLS side by side, again and again', limit, async () => {
  for (let round = 0; round < rounds; round++) {
    assert.deepEqual(await Promise.all([visitAll(visited), visitAll(visited)]), [
      expected,
      expected
    ])
  }
})

test(
  'P12: a certificate that one of them does not know is refused by that one alone',
  limit,
  async () => {
    const stranger = { ...visited, caPath: visited.settings['ssl.ca.location'] as string }
    await assert.rejects(visitAll(stranger), /certificate|unable to verify/)
    assert.deepEqual(await visitAll(visited), expected)
  }
)

test('P12: threads that end in the middle of a call leave the others whole', limit, async () => {
  const threads = Array.from(
    { length: 3 },
    () => new Worker(company, { workerData: { company: visited } })
  )
  const faults: unknown[] = []
  for (const thread of threads) thread.on('error', error => faults.push(error))
  for (const thread of threads) {
    // The next round has begun when the answer of the first one comes.
    const [round] = await once(thread, 'message')
    assert.deepEqual(round, { addon: records, body })
    await thread.terminate()
    assert.deepEqual(await visitAll(visited), expected)
  }
  assert.deepEqual(faults, [])
})

test('P12: the addon shows nothing but what Node asks for', limit, async () => {
  const addon = fileURLToPath(new URL('../../../build/Release/heliostat.node', import.meta.url))
  const { exitCode, output } = await run('nm', ['-D', '--defined-only', addon])
  assert.equal(exitCode, 0, output)
  const names = output
    .trim()
    .split('\n')
    .map(line => line.split(' ').at(-1)?.split('@')[0])
  assert.deepEqual(names.sort(), ['napi_register_module_v1', 'node_api_module_get_api_version_v1'])
})
