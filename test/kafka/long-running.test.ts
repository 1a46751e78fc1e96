// What MirrorMaker's users do with a mirror for months: nohup, closed terminals, log pipes, a password that changes.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { countRecords } from '../support/group-lag.ts'
import { type KafkaCluster, startPair } from '../support/kafka-broker.ts'
import { createTopic, runTool } from '../support/kafka-tools.ts'
import { makeFolder, root, script, startMirrorMaker } from '../support/mirror-maker.ts'
import { plainEnvironment } from '../support/mirror-process.ts'
import { runOnTerminal } from '../support/pseudo-terminal.ts'
import { type SteadyLoad, startLoad } from '../support/steady-load.ts'
import { waitFor } from '../support/wait.ts'

const limit = { timeout: 150_000 }

// A connection has to log in anew this often, so a password that is no longer good shows soon.
const reloginMs = 4_000
const user = 'mirror'
const mechanism = 'SCRAM-SHA-256'
const passwords = { before: 'canary-before', after: 'canary-after' }

let pair: Awaited<ReturnType<typeof startPair>>

before(async () => {
  pair = await startPair({
    target: {
      security: { protocol: 'SASL_PLAINTEXT', mechanism, users: { [user]: passwords.before } },
      config: {
        [`listener.name.secured.${mechanism.toLowerCase()}.connections.max.reauth.ms`]: reloginMs
      }
    }
  })
})
after(() => pair?.close())

// The script takes the mirror out of the terminal's reach; the command alone is sent SIGHUP, and outlives it.
const starts = [
  { what: 'kafka-mirror-maker.sh', program: [script], isReached: false },
  { what: 'heliostat run', program: [`${root}bin/heliostat`, 'run'], isReached: true }
]

for (const { what, program, isReached } of starts) {
  test(`${what} under nohup goes on when its terminal is closed`, limit, async t => {
    const { args, folder, load, hasMore } = await prepare(t)
    const line = 'nohup "$@" --log-format pretty > mirror.log 2>&1'
    const shell = await runOnTerminal(t, folder, [...program, ...args], line)
    const log = () => readFileSync(join(folder, 'mirror.log'), 'utf8')
    const isReloaded = () => log().includes('configuration read again')
    await waitFor('records', hasMore(), { describe: log })
    await shell.close()
    if (isReached) await waitFor('the signal', isReloaded, { describe: log })
    await waitFor('more records', hasMore(), { describe: log })
    await load.stop()
    process.kill(shell.pid, 'SIGTERM')
    assert.equal(await shell.exit(), 0, log())
    assert.equal(isReloaded(), isReached)
    assert.match(log(), /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\] INFO: heliostat starts$/m)
    assert.ok(!log().includes('\u001b'), 'no colours in a file')
  })
}

test('on a terminal that is closed the mirror drains and exits 0', limit, async t => {
  const { args, folder, hasMore } = await prepare(t)
  const shell = await runOnTerminal(t, folder, [`${root}bin/heliostat`, 'run', ...args])
  const describe = shell.output
  await waitFor('records', hasMore(), { describe })
  assert.match(describe(), /INFO.*heliostat starts/)
  await waitFor('the line of progress', () => /\d records\/s · /.test(describe()))
  await shell.close()
  assert.equal(await shell.exit(), 0)
})

test('when nobody reads its log any more the mirror drains and exits 1', limit, async t => {
  const { args, folder, hasMore } = await prepare(t)
  const child = spawn(script, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: folder,
    env: plainEnvironment()
  })
  t.after(() => child.kill('SIGKILL'))
  let errors = ''
  child.stderr.on('data', chunk => {
    errors += chunk
  })
  const ended = once(child, 'close')
  await once(child.stdout, 'data')
  await waitFor('records', hasMore())
  child.stdout.destroy()
  // The next line it writes finds the pipe closed.
  child.kill('SIGUSR2')
  assert.deepEqual(await ended, [1, null], errors)
  assert.equal(errors, 'error: nobody reads the log any more (EPIPE): draining\n')
})

test('SIGHUP takes over a new password, and keeps the rest as it was', limit, async t => {
  const { args, folder, topic, load, hasMore } = await prepare(t, passwords.before)
  const mirror = startMirrorMaker(t, folder, args)
  await mirror.until('records', hasMore())

  await setPassword(pair.target, passwords.after)
  await writeTarget(folder, passwords.after)
  await writeSource(folder, topic, ['auto.commit.interval.ms=700'])
  mirror.kill('SIGHUP')
  const taken = await mirror.line({ msg: 'configuration read again' })
  assert.deepEqual(taken.taken, ['target: sasl.password', 'source: commit interval'])
  // Long enough for every connection to log in again.
  await mirror.until('a login later', later(reloginMs * 1.5))
  await mirror.until('records under the new password', hasMore())

  await writeSource(folder, topic, ['fetch.mim.bytes=2'])
  mirror.kill('SIGHUP')
  const refused = await mirror.line({
    msg: 'configuration cannot be taken over; the mirror goes on with the one it has'
  })
  assert.match(`${refused.problems}`, /source\.properties:\d+: fetch\.mim\.bytes: unknown setting/)

  await writeSource(folder, topic, ['auto.commit.interval.ms=700', 'fetch.min.bytes=2'])
  mirror.kill('SIGHUP')
  const waiting = await mirror.line({
    msg: 'changed settings are not taken over until a restart'
  })
  assert.equal((waiting.waiting as string[]).length, 1)
  assert.match(`${waiting.waiting}`, /fetch/)
  await mirror.until('records as before', hasMore())

  mirror.kill('SIGUSR2')
  const summary = await mirror.line({ msg: 'lanes listed' })
  assert.equal(summary.shown, 2)
  const lanes = mirror.linesLike({ msg: 'lane', topic })
  assert.deepEqual(lanes.map(({ partition }) => partition).sort(), [0, 1])
  for (const lane of lanes) assert.ok((lane.checkpoint as number) > 0, JSON.stringify(lane))

  await load.stop()
  assert.equal(await mirror.stop(), 0, mirror.tail())
  assert.ok(!/canary/.test(JSON.stringify(mirror.lines)), 'no password in the log')
})

test(
  'a mirror that waits with a wrong password goes on when the file is mended',
  limit,
  async t => {
    const { args, folder, hasMore } = await prepare(t, 'canary-wrong')
    const mirror = startMirrorMaker(t, folder, args)
    await mirror.line({ msg: 'cluster cannot be reached; trying again' })
    await setPassword(pair.target, passwords.before)
    await writeTarget(folder, passwords.before)
    mirror.kill('SIGHUP')
    await mirror.until('records', hasMore())
    assert.equal(await mirror.stop(), 0, mirror.tail())
  }
)

type Prepared = {
  folder: string
  topic: string
  args: string[]
  load: SteadyLoad
  /** Whether the target has at least as many records as the source had when this was called. */
  hasMore(): () => Promise<boolean>
}

/** Files in a folder, a topic and a load on it. */
async function prepare(t: TestContext, password?: string): Promise<Prepared> {
  const folder = await makeFolder(t)
  const topic = `long-${randomUUID()}`
  await createTopic(pair.source.bootstrap, topic, 2)
  const load = await startLoad(pair.source.bootstrap, topic, { everyMs: 50 })
  t.after(() => load.stop().catch(() => undefined))
  await writeSource(folder, topic)
  await writeTarget(folder, password)
  const args = ['--consumer.config', 'source.properties', '--producer.config', 'target.properties']
  args.push('--whitelist', topic, '--http', 'off')
  const hasMore = () => {
    const wanted = load.records + 500
    return async () => (await countRecords(pair.target.bootstrap, topic)) >= wanted
  }
  return { folder, topic, args, load, hasMore }
}

function writeSource(folder: string, group: string, more: string[] = []): Promise<void> {
  const lines = [`bootstrap.servers=${pair.source.bootstrap}`, `group.id=${group}`, ...more]
  return writeFile(join(folder, 'source.properties'), `${lines.join('\n')}\n`)
}

function writeTarget(folder: string, password?: string): Promise<void> {
  const lines =
    password === undefined
      ? [`bootstrap.servers=${pair.target.bootstrap}`]
      : [
          `bootstrap.servers=${pair.target.secured?.bootstrap}`,
          'security.protocol=SASL_PLAINTEXT',
          `sasl.mechanism=${mechanism}`,
          'sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\',
          `  username="${user}" password="${password}";`
        ]
  return writeFile(join(folder, 'target.properties'), `${lines.join('\n')}\n`)
}

async function setPassword({ version, bootstrap }: KafkaCluster, password: string): Promise<void> {
  const args = ['--bootstrap-server', bootstrap, '--alter', '--entity-type', 'users']
  args.push('--entity-name', user, '--add-config', `${mechanism}=[password=${password}]`)
  const { code, stderr } = await runTool(version, 'kafka.admin.ConfigCommand', args)
  assert.equal(code, 0, stderr)
}

function later(ms: number): () => boolean {
  const until = Date.now() + ms
  return () => Date.now() >= until
}
