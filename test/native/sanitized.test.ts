// The whole addon under AddressSanitizer and UBSan: links between mock clusters that move, are disturbed, and end in
// every way, in the process and in worker threads; LZ4 frames, whole and damaged.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { plainEnvironment } from '../support/mirror-process.ts'
import { type Ended, run } from '../support/native-program.ts'
import { sanitizedAddon } from '../support/sanitized-addon.ts'

// Those of the other files that say nothing of time, which is another matter here.
const chosen = [
  'a link moves every record',
  'a process with a running link ends by',
  'a worker thread is terminated',
  'several worker threads run links at once',
  'clusters may be closed before the link',
  'a closed link answers',
  'a lane that is added again',
  'a snapshot has one row',
  'although all of this happens',
  'lz4: what others write is read',
  'lz4: no damage ends'
]
const files = ['addon.test.js', 'disturbed-link.test.js', '../unit/batches-compression.test.js']

test('no error of memory or arithmetic while links move, are disturbed and end', {
  timeout: 400_000
}, async t => {
  const variables = await sanitizedAddon()
  const ended = await runSanitized(variables, [
    '--test',
    '--test-reporter=tap',
    '--test-concurrency=1',
    `--test-name-pattern=${chosen.join('|')}`,
    ...files.map(file => fileURLToPath(new URL(file, import.meta.url)))
  ])
  assert.equal(ended.exitCode, 0, ended.output)
  assert.doesNotMatch(ended.output, /AddressSanitizer|runtime error:/)
  const passed = [...ended.output.matchAll(/^ *ok \d+ - (.*?)(?: # SKIP.*)?$/gm)]
  const names = passed.map(([, name]) => name as string)
  for (const words of chosen)
    assert.ok(
      names.some(name => name.includes(words)),
      words
    )
  t.diagnostic(`${passed.length} tests passed`)
})

test('the sanitizers are at work in there', { timeout: 400_000 }, async () => {
  const variables = await sanitizedAddon()
  const script = "process.stdout.write(require('node:fs').readFileSync('/proc/self/maps', 'utf8'))"
  const load = `require(${JSON.stringify(variables.SANITIZED_ADDON)});${script}`
  const { exitCode, output } = await runSanitized(variables, ['-e', load])
  assert.equal(exitCode, 0, output)
  assert.match(output, /libasan/)
  assert.match(output, /heliostat-sanitized/)
})

async function runSanitized(variables: Record<string, string>, words: string[]): Promise<Ended> {
  const environment = Object.entries({ ...plainEnvironment(), ...variables })
  // This test's own runner would speak for the inner one.
  const settings = environment.filter(([name]) => name !== 'NODE_TEST_CONTEXT')
  const assignments = settings.map(([name, value]) => `${name}=${value}`)
  return run('/usr/bin/env', ['-i', ...assignments, process.execPath, ...words])
}
