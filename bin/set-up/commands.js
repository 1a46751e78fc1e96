// What npm start, test, bench, soak and check do once everything is built.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { node, root } from './child.js'
import { lacksKafka, layers, testFiles, whyNot } from './layers.js'

export function start(args) {
  return node('bin/heliostat', ...(args.length > 0 ? args : ['demo']))
}

export function bench(args) {
  return node('dist/bench/main.js', ...args)
}

export function soak(args) {
  const reason = lacksKafka()
  if (reason === undefined) return node('--enable-source-maps', 'dist/test/soak/main.js', ...args)
  say(`the soak cannot run: ${reason}`)
  return 2
}

/** Runs the layers named, or all; a layer that cannot run is a failure under CI. */
export async function test(names) {
  const unknown = names.find(name => !layers.some(layer => layer.name === name))
  if (unknown !== undefined) {
    say(`there is no layer "${unknown}"; there are: ${layers.map(layer => layer.name).join(', ')}`)
    return 2
  }
  const chosen = layers.filter(layer => names.length === 0 || names.includes(layer.name))
  const results = []
  for (const layer of chosen) results.push(await runLayer(layer))
  return conclude(results)
}

async function runLayer(layer) {
  const { name, tells } = layer
  const reason = whyNot(layer)
  if (reason !== undefined) {
    say(`${name}: left out: ${reason}`)
    return { name, outcome: 'left out', reason }
  }
  say(`${name}: ${tells}`)
  const startedAt = performance.now()
  const code = await runTests(layer)
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
  const outcome = code === 0 ? 'passed' : 'FAILED'
  say(`${name}: ${outcome} in ${seconds} s`)
  return { name, outcome, reason: `${seconds} s` }
}

function runTests({ name, filesAtOnce }) {
  const order = filesAtOnce ? [`--test-concurrency=${filesAtOnce}`] : []
  return node('--enable-source-maps', '--test', '--test-reporter=spec', ...order, ...testFiles(name))
}

function conclude(results) {
  console.log('')
  for (const { name, outcome, reason } of results) say(`${name.padEnd(10)} ${outcome} (${reason})`)
  const leftOut = results.filter(result => result.outcome === 'left out')
  const isFailed = results.some(result => result.outcome === 'FAILED')
  if (leftOut.length > 0) {
    const names = leftOut.map(result => result.name).join(', ')
    say(`NOT EVERYTHING WAS TESTED: ${names} left out${process.env.CI ? ', which is a failure under CI' : ''}`)
  }
  return isFailed || (leftOut.length > 0 && process.env.CI) ? 1 : 0
}

const nativeFolders = ['src/native', 'bench/native']

/** Types are checked by the build that came before. All checks run, so that one report shows everything. */
export async function check() {
  const checks = [
    ['lint and format', () => node('node_modules/@biomejs/biome/bin/biome', 'ci', '.')],
    ['native format', checkNativeFormat],
    ['unit tests and documents', () => runTests({ name: 'unit' })]
  ]
  const failed = []
  for (const [name, work] of checks) {
    say(`check: ${name}`)
    if ((await work()) !== 0) failed.push(name)
  }
  say(failed.length === 0 ? 'check: all passed' : `check: FAILED: ${failed.join(', ')}`)
  return failed.length === 0 ? 0 : 1
}

function checkNativeFormat() {
  const files = nativeFolders.flatMap(folder =>
    readdirSync(join(root, folder))
      .filter(name => /\.(?:cc|c|h)$/.test(name))
      .map(name => join(folder, name))
  )
  const clangFormat = 'node_modules/@wasm-fmt/clang-format/clang-format-cli.cjs'
  return node(clangFormat, '--dry-run', '--Werror', ...files)
}

function say(text) {
  console.log(text)
}
