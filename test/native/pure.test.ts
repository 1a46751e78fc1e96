// The addon's pure files, tested in C++ under AddressSanitizer and UBSan, and fuzzed.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { buildProgram, run } from '../support/native-program.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const sanitized = ['-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=undefined']
const readers = ['crc32c_patch', 'batch_header', 'batch_walk', 'protocol', 'lane_reason']
const tested = [...readers, 'error_rules', 'fetch_session', 'lane', 'routed_lane']

test('the pure files do what their tests say', async t => {
  const tests = [
    'batch_header_test',
    'batch_walk_test',
    'protocol_test',
    'answers_test',
    'fetch_session_test',
    'lane_test',
    'merge_test',
    'native_tests'
  ]
  const program = await buildProgram('native-tests', {
    files: [...tests.map(name => `test/native/${name}.cc`), ...tested.map(inNative)],
    flags: sanitized
  })
  const { exitCode, output } = await run(program, [])
  const lines = output.split('\n')
  for (const [at, line] of lines.entries()) {
    const [, verdict, name] = /^(ok|not ok) (.*)$/.exec(line) ?? []
    if (name === undefined) continue
    await t.test(name, () => assert.equal(verdict, 'ok', detailsBefore(lines, at)))
  }
  assert.equal(exitCode, 0, output)
  assert.ok(lines.length > 40, output)
})

test('damaged answers crash no reader and pass nothing that is not there', async t => {
  const program = await buildProgram('fuzz', {
    files: ['test/native/fuzz.cc', ...readers.map(inNative)],
    flags: sanitized
  })
  const seed = process.env.FUZZ_SEED ?? `${Date.now()}`
  const seconds = process.env.FUZZ_SECONDS ?? '15'
  const { exitCode, output } = await run(program, [
    ...['--seed', seed, '--seconds', seconds],
    ...['--corpus', join(root, 'test/native/fuzz-corpus.txt')]
  ])
  t.diagnostic(output.trim())
  assert.equal(exitCode, 0, output)
  assert.match(output, /corpus [1-9]/)
  const inputs = Number(/inputs (\d+)/.exec(output)?.[1])
  assert.ok(inputs > 10_000, `only ${inputs} inputs within ${seconds} s`)
})

function inNative(name: string): string {
  return `src/native/${name}.cc`
}

function detailsBefore(lines: readonly string[], at: number): string {
  let first = at
  while (first > 0 && lines[first - 1]?.startsWith('  ')) first--
  return lines.slice(first, at).join('\n')
}
