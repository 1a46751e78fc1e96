import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { isGoneForGood, openLineOutput } from '../../src/observe/line-output.ts'

const folder = mkdtempSync(join(tmpdir(), 'heliostat-log-'))
after(() => rmSync(folder, { recursive: true }))
const logUrl = new URL('../../src/observe/log.js', import.meta.url).href

/** What a process writes to a file as its standard output. */
function logToFile(format: string): string {
  const path = join(folder, format)
  const descriptor = openSync(path, 'w')
  const code = `
    const { openLog } = await import(${JSON.stringify(logUrl)})
    const log = openLog({ level: 'info', format: ${JSON.stringify(format)}, descriptor: 1 })
    log.info({ topic: 'orders', password: 'canary' }, 'a lane stops')
    log.debug({}, 'not shown')`
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', descriptor, 'pipe'],
    env: { ...process.env, TERM: 'xterm-256color', COLORTERM: 'truecolor' }
  })
  closeSync(descriptor)
  assert.equal(status, 0, String(stderr))
  return readFileSync(path, 'utf8')
}

test('readable lines in a file have a date and no colours', () => {
  const [first, ...rest] = logToFile('pretty').trimEnd().split('\n')
  assert.match(first ?? '', /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\] INFO: a lane stops$/)
  assert.deepEqual(rest, ['    topic: "orders"', '    password: "[redacted]"'])
})

test('a line for machines is one JSON object', () => {
  const { time, ...line } = JSON.parse(logToFile('json'))
  assert.match(time, /^\d{4}-\d\d-\d\dT/)
  assert.deepEqual(line, {
    level: 'info',
    topic: 'orders',
    password: '[redacted]',
    msg: 'a lane stops'
  })
})

test('a reader that went is for good, a full disk is not', () => {
  assert.ok(isGoneForGood('EPIPE', false))
  assert.ok(isGoneForGood('EIO', true), 'the terminal of a window that was closed')
  assert.ok(!isGoneForGood('EIO', false), 'a disk')
  assert.ok(!isGoneForGood('ENOSPC', false))
})

test('a full disk costs lines, never the mirror', t => {
  if (!existsSync('/dev/full')) return t.skip('there is no /dev/full here')
  const descriptor = openSync('/dev/full', 'w')
  t.after(() => closeSync(descriptor))
  const output = openLineOutput({
    descriptor,
    onGone: code => assert.fail(code),
    onRecovered: count => assert.fail(`${count}`)
  })
  for (let line = 0; line < 3; line++) output.write('lost\n')
})
