import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { UsageError } from '../../src/errors.ts'
import { askHealth } from '../../src/status/ask-health.ts'
import { describeHealth, type HealthAnswer, splitAddress } from '../../src/status/health.ts'

const address = '127.0.0.1:9747'
const alive: HealthAnswer = { status: 200, body: '{"status":"ok","checks":[]}\n' }
const joining: HealthAnswer = {
  status: 503,
  body: JSON.stringify({
    status: 'unavailable',
    phase: 'joining',
    checks: [
      { name: 'source', ok: true, detail: 'source was reached' },
      { name: 'group', ok: false, detail: 'joining mirror' },
      { name: 'topics', ok: false, detail: 'target topics are being checked' }
    ]
  })
}

test('a mirror that is alive is good, in one line', () => {
  const options = { address, isReady: false, isVerbose: false }
  assert.deepEqual(describeHealth(alive, options), {
    isGood: true,
    lines: ['ok: heliostat at 127.0.0.1:9747 is alive']
  })
})

test('a mirror that is not ready says which checks fail', () => {
  const options = { address, isReady: true, isVerbose: false }
  assert.deepEqual(describeHealth(joining, options), {
    isGood: false,
    lines: [
      'failing: heliostat at 127.0.0.1:9747 is not ready (joining): group: joining mirror; ' +
        'topics: target topics are being checked'
    ]
  })
})

test('verbose shows every check on a line of its own', () => {
  const { lines } = describeHealth(joining, { address, isReady: true, isVerbose: true })
  assert.deepEqual(lines.slice(1), [
    '  ok  source: source was reached',
    '  failing  group: joining mirror',
    '  failing  topics: target topics are being checked'
  ])
})

test('stopped lanes are told, and do not make it fail', () => {
  const body = JSON.stringify({ status: 'ok', phase: 'mirroring', checks: [], stopped: 2 })
  const options = { address, isReady: true, isVerbose: false }
  assert.deepEqual(describeHealth({ status: 200, body }, options), {
    isGood: true,
    lines: ['ok: heliostat at 127.0.0.1:9747 is ready (mirroring); 2 lanes are stopped']
  })
})

const strangers: readonly HealthAnswer[] = [
  { status: 404, body: 'not found\n' },
  { status: 200, body: '<html>' },
  { status: 200, body: 'null' },
  { status: 200, body: '{"status":"ok"}' },
  { status: 401, body: '{"status":"ok","checks":[]}' }
]

test('something else that answers is named, with what to do', () => {
  for (const stranger of strangers) {
    const { isGood, lines } = describeHealth(stranger, {
      address,
      isReady: false,
      isVerbose: false
    })
    assert.equal(isGood, false)
    assert.match(
      lines.join('\n'),
      /^what answers at 127\.0\.0\.1:9747 .* is no heliostat\. .*--http/
    )
  }
})

test('an address to listen on becomes one to ask', () => {
  assert.deepEqual(splitAddress('0.0.0.0:9747'), { host: '127.0.0.1', port: 9747 })
  assert.deepEqual(splitAddress('[::]:80'), { host: '::1', port: 80 })
  assert.deepEqual(splitAddress('[::1]:80'), { host: '::1', port: 80 })
  assert.deepEqual(splitAddress('mirror:9747'), { host: 'mirror', port: 9747 })
  assert.throws(() => splitAddress('mirror:99999'), UsageError)
})

test('nobody there: the cause, and how to name another address', async t => {
  const port = await serve(t, () => {}).then(server => server.closeNow())
  const answer = await askHealth({ host: '127.0.0.1', port, path: '/livez', limitMs: 2_000 })
  assert.deepEqual(answer, { error: 'ECONNREFUSED' })
  const { isGood, lines } = describeHealth(answer, { address, isReady: false, isVerbose: false })
  assert.equal(isGood, false)
  assert.deepEqual(lines, [
    'no heliostat answers at 127.0.0.1:9747: ECONNREFUSED. Start one there, or name another address: ' +
      '--http HOST:PORT or HELIOSTAT_HTTP'
  ])
})

test('one that takes the connection and never answers: the time is over', async t => {
  const { port } = await serve(t, () => {})
  const answer = await askHealth({ host: '127.0.0.1', port, path: '/livez', limitMs: 50 })
  assert.deepEqual(answer, { error: 'no answer within 50 ms' })
})

test('one that begins an answer and never ends it: the time is over', async t => {
  const { port } = await serve(t, (_, response) => response.write('{"status"'))
  const answer = await askHealth({ host: '127.0.0.1', port, path: '/livez', limitMs: 50 })
  assert.deepEqual(answer, { error: 'no answer within 50 ms' })
})

test('one that cuts the connection, and one that sends without end', async t => {
  const cutting = await serve(t, request => request.socket.destroy())
  const cut = await askHealth({ host: '127.0.0.1', port: cutting.port, path: '/', limitMs: 2_000 })
  assert.deepEqual(cut, { error: 'ECONNRESET' })
  const endless = await serve(t, (_, response) => {
    const send = (): void => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
      if (!response.destroyed) response.once('drain', send)
    }
    send()
  })
  const sent = await askHealth({ host: '127.0.0.1', port: endless.port, path: '/', limitMs: 2_000 })
  assert.deepEqual(sent, { error: 'its answer has no end' })
})

test('status and body come back as they are, and the path is asked for', async t => {
  const { port } = await serve(t, (request, response) => {
    response.writeHead(request.url === '/readyz?verbose' ? 503 : 500).end('{}')
  })
  const answer = await askHealth({
    host: '127.0.0.1',
    port,
    path: '/readyz?verbose',
    limitMs: 2_000
  })
  assert.deepEqual(answer, { status: 503, body: '{}' })
})

async function serve(
  t: TestContext,
  listener: RequestListener
): Promise<{ port: number; closeNow(): Promise<number> }> {
  const server = createServer(listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = (): Promise<number> => {
    const closed = new Promise<number>(resolve => server.close(() => resolve(port)))
    server.closeAllConnections()
    return closed
  }
  t.after(close)
  return { port, closeNow: close }
}

test('the command goes without the native addon', () => {
  const cli = new URL('../../src/cli.js', import.meta.url).href
  const script = `
    import { createRequire } from 'node:module'
    const { main } = await import(${JSON.stringify(cli)})
    const code = await main(['health', '--http', '127.0.0.1:1'])
    const loaded = Object.keys(createRequire(import.meta.url).cache)
    process.exit(loaded.some(path => path.endsWith('.node')) ? 99 : code)`
  const args = ['--input-type=module', '-e', script]
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  assert.equal(status, 1)
  assert.match(stdout, /^no heliostat answers at 127\.0\.0\.1:1: ECONNREFUSED/)
})
