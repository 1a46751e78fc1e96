import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

// Compiled tests lie in dist/test/unit.
const script = fileURLToPath(new URL('../../../bin/kafka-mirror-maker.sh', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'heliostat script-'))
after(() => rmSync(folder, { recursive: true }))

// A command in place of the real one says how it was called.
const bin = join(folder, 'kit', 'bin')
mkdirSync(bin, { recursive: true })
mkdirSync(join(folder, 'links'))
copyFileSync(script, join(bin, 'kafka-mirror-maker.sh'))
const command = `#!/bin/sh
echo "$$"
[ -z "$SHOW_SESSION" ] || echo "session $(cut -d ' ' -f 6 /proc/$$/stat)"
printf "<%s>" "$@"
`
writeFileSync(join(bin, 'heliostat'), command, { mode: 0o755 })
symlinkSync(join(bin, 'kafka-mirror-maker.sh'), join(folder, 'links', 'absolute'))
symlinkSync('../kit/bin/kafka-mirror-maker.sh', join(folder, 'links', 'relative'))
symlinkSync('relative', join(folder, 'links', 'chain'))

const calls: readonly [what: string, command: string, cwd: string][] = [
  ['by its path', join(bin, 'kafka-mirror-maker.sh'), '/'],
  ['from its own folder', './kafka-mirror-maker.sh', bin],
  ['from the folder above', 'bin/kafka-mirror-maker.sh', join(bin, '..')],
  ['by an absolute link', join(folder, 'links', 'absolute'), '/'],
  ['by a relative link', 'links/relative', folder],
  ['by a link to a link', './chain', join(folder, 'links')]
]

for (const [what, command, cwd] of calls) {
  test(`called ${what} the script hands everything to heliostat run, in its own process`, () => {
    const args = ['--whitelist', 'orders|log .*', '', '--num.streams=2']
    const { pid, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
    assert.equal(stderr, '')
    assert.equal(stdout, `${pid}\n<run><--whitelist><orders|log .*><><--num.streams=2>`)
  })
}

test('under nohup it keeps its process too, in a session that no terminal reaches', t => {
  if (spawnSync('sh', ['-c', 'command -v setsid']).status !== 0) return t.skip('there is no setsid')
  const ignored = `trap '' HUP; exec "$0" --whitelist orders`
  const { pid, stdout } = spawnSync('sh', ['-c', ignored, join(bin, 'kafka-mirror-maker.sh')], {
    encoding: 'utf8',
    env: { ...process.env, SHOW_SESSION: 'yes' }
  })
  const [shown, session] = stdout.split('\n')
  assert.equal(shown, `${pid}`)
  assert.equal(session, `session ${pid}`)
})

test('called by sh from its own folder, without a path', () => {
  const { stdout } = spawnSync('sh', ['kafka-mirror-maker.sh', '--help'], {
    cwd: bin,
    encoding: 'utf8'
  })
  assert.match(stdout, /<run><--help>$/)
})
