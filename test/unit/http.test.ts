import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { pino } from 'pino'
import { ConfigError } from '../../src/errors.ts'
import type { MirrorState } from '../../src/mirror/types.ts'
import { openHttp } from '../../src/observe/http.ts'
import { createMetrics } from '../../src/observe/metrics.ts'
import { laneView, linkState, mirrorState } from './mirror-state.ts'

const logger = pino({ level: 'silent' })
const build = { version: '0.1.0', node: '20.0.0', librdkafka: '2.12.0', features: 'gzip,ssl' }
const stopped = laneView({ partition: 3, state: 'stopped', reason: 'too-few-partitions' })

async function serve(t: TestContext, state: MirrorState): Promise<string> {
  const metrics = createMetrics(() => state, build)
  const http = await openHttp({
    address: '127.0.0.1:0',
    state: () => state,
    metrics: async () => metrics,
    logger
  })
  t.after(() => http.close())
  return http.url ?? ''
}

test('liveness does not depend on readiness', async t => {
  const url = await serve(t, mirrorState([], { ready: false }))
  for (const path of ['/livez', '/healthz']) {
    const answer = await fetch(url + path)
    assert.equal(answer.status, 200)
    assert.deepEqual(await answer.json(), { status: 'ok', checks: [] })
  }
})

test('a stopped lane shows in the body and does not make the process unready', async t => {
  const url = await serve(t, mirrorState([linkState([laneView(), stopped])]))
  const answer = await fetch(`${url}/readyz`)
  assert.equal(answer.status, 200)
  assert.deepEqual(await answer.json(), {
    status: 'ok',
    phase: 'mirroring',
    checks: [],
    stopped: 1,
    stoppedLanes: [{ topic: 'orders', partition: 3, reason: 'too-few-partitions' }]
  })
})

test('the failing checks are named; ?verbose names all', async t => {
  const failing = { name: 'group', ok: false, detail: 'not joined yet' }
  const checks = [{ name: 'source', ok: true, detail: 'reached' }, failing]
  const url = await serve(t, mirrorState([], { ready: false, phase: 'joining', checks }))
  const answer = await fetch(`${url}/readyz`)
  assert.equal(answer.status, 503)
  const body = (await answer.json()) as { status: string; checks: unknown[] }
  assert.deepEqual(body, { status: 'unavailable', phase: 'joining', checks: [failing] })
  const verbose = (await (await fetch(`${url}/readyz?verbose`)).json()) as { checks: unknown[] }
  assert.equal(verbose.checks.length, 2)
})

test('the metrics follow the state', async t => {
  const lanes = [laneView(), stopped, laneView({ partition: 4, state: 'revoked', lag: undefined })]
  const url = await serve(t, mirrorState([linkState(lanes)]))
  const answer = await fetch(`${url}/metrics`)
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain/)
  const text = await answer.text()
  for (const line of [
    'heliostat_build_info{version="0.1.0",node="20.0.0",librdkafka="2.12.0",features="gzip,ssl"} 1',
    'heliostat_ready 1',
    'heliostat_delivered_records_total{source="east",target="west",topic="orders"} 30',
    'heliostat_delivered_bytes_total{source="east",target="west",topic="orders"} 6000',
    'heliostat_path_batches_total{source="east",target="west",path="skipped",reason="control"} 3',
    'heliostat_path_batches_total{source="east",target="west",path="merge",reason="tiny-batches"} 0',
    'heliostat_lanes{source="east",target="west",state="stopped"} 1',
    'heliostat_lane_problem{source="east",target="west",topic="orders",partition="3",state="stopped",reason="too-few-partitions"} 1',
    'heliostat_lag_records{source="east",target="west"} 5',
    'heliostat_requests_total{source="east",target="west",api="fetch"} 7',
    'heliostat_buffer_bytes 300',
    'heliostat_buffer_limit_bytes 100663296'
  ]) {
    assert.ok(text.includes(`${line}\n`), line)
  }
})

test('a lag that is not known is left out', async t => {
  const { lag: _, ...link } = linkState([])
  const url = await serve(t, mirrorState([{ ...link, lag: undefined }]))
  const text = await (await fetch(`${url}/metrics`)).text()
  assert.doesNotMatch(text, /^heliostat_lag_records\{/m)
})

test('other routes, methods and hosts are turned away', async t => {
  const url = await serve(t, mirrorState([]))
  assert.equal((await fetch(`${url}/config`)).status, 404)
  assert.equal((await fetch(`${url}/metrics`, { method: 'POST' })).status, 405)
  assert.equal(await statusFor(url, 'evil.example'), 403)
  assert.equal(await statusFor(url, 'localhost:9747'), 200)
})

function statusFor(url: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/livez`, { headers: { host } }, answer => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
    sent.on('error', reject)
    sent.end()
  })
}

test('a given address that is taken is an error, and off opens nothing', async t => {
  const other = createServer()
  await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
  t.after(() => other.close())
  const address = `127.0.0.1:${(other.address() as AddressInfo).port}`
  const state = () => mirrorState([])
  const metrics = createMetrics(state, build)
  await assert.rejects(
    openHttp({ address, state, metrics: async () => metrics, logger }),
    (error: Error) => {
      assert.ok(error instanceof ConfigError)
      assert.equal(
        error.message,
        `--http: ${address} cannot be opened: EADDRINUSE. Set another port, or off`
      )
      return true
    }
  )
  assert.equal(
    (await openHttp({ address: 'off', state, metrics: async () => metrics, logger })).url,
    undefined
  )
})
