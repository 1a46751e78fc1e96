// Installs, compiles and builds what is missing or older than its sources, one line each.

import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { output, root, run } from './child.js'

const addon = join(root, 'build/Release/heliostat.node')
const client = join(root, 'node_modules/node-rdkafka/build/Release/node-librdkafka.node')

// Written when everything has compiled; the compiler's own file also changes when something has not.
const compiled = join(root, 'dist/.compiled')

/** False when a step failed; it has said why. */
export async function prepare() {
  for (const step of [installPackages, buildClient, buildAddon, compile]) {
    if (!(await step())) return false
  }
  return true
}

async function installPackages() {
  const why = staleModules()
  if (why === undefined) return true
  if (!hasToolchain()) return false
  say(`${why}: npm ci (builds librdkafka, which takes a few minutes)`)
  return await succeeds('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'])
}

/** npm keeps a copy of the lock file of what it has installed. */
function staleModules() {
  const wanted = readLock('package-lock.json')
  const installed = readLock('node_modules/.package-lock.json')
  if (!installed) return 'node_modules is missing'
  for (const [path, { version, optional, devOptional }] of Object.entries(wanted.packages)) {
    if (path === '') continue
    const found = installed.packages[path]
    // Optional packages of other platforms are never there.
    if (!found && !optional && !devOptional) return `${path} is missing`
    if (found && found.version !== version) return `${path} is not version ${version}`
  }
  return undefined
}

function readLock(path) {
  const file = join(root, path)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}

// Some settings of npm leave out the install scripts, and then nothing is built.
async function buildClient() {
  if (existsSync(client)) return true
  if (!hasToolchain()) return false
  say('node-rdkafka is not built: npm rebuild node-rdkafka (takes a few minutes)')
  if (!(await succeeds('npm', ['rebuild', 'node-rdkafka', '--foreground-scripts']))) return false
  if (existsSync(client)) return true
  say('node-rdkafka was not built: does npm leave out install scripts (ignore-scripts)?')
  return false
}

async function buildAddon() {
  const sources = [...filesBelow('src/native', /\.(?:cc|c|h|cjs)$/), join(root, 'binding.gyp')]
  const built = changedAt(addon)
  if (newest([...sources, client]) <= built) return true
  if (!hasToolchain()) return false
  const isFirst = built === 0
  say(`${isFirst ? 'build/Release/heliostat.node is missing' : 'src/native has changed'}: npm run build:native`)
  return await succeeds('npm', ['run', '--silent', 'build:native'])
}

async function compile() {
  const sources = ['src', 'test', 'bench'].flatMap(folder => filesBelow(folder, /\.ts$/))
  const settings = ['tsconfig.json', 'package-lock.json'].map(name => join(root, name))
  const isMissing = !existsSync(join(root, 'dist/src/cli.js'))
  const orphans = orphansOf(sources)
  if (!isMissing && orphans.length === 0 && newest([...sources, ...settings]) <= changedAt(compiled)) return true
  say(`${isMissing ? 'dist is missing' : 'sources have changed'}: npm run build:ts`)
  for (const orphan of orphans) rmSync(orphan)
  // The compiler trusts this file: it would not write again what somebody has deleted.
  if (isMissing) rmSync(join(root, 'dist/.tsbuildinfo'), { force: true })
  if (!(await succeeds('npm', ['run', '--silent', 'build:ts']))) return false
  writeFileSync(compiled, '')
  return true
}

/** Compiled files whose source is gone: the tests among them would run on. */
function orphansOf(sources) {
  const wanted = new Set(sources.map(path => relative(root, path).replace(/\.ts$/, '.js')))
  return filesBelow('dist', /\.js$/).filter(path => !wanted.has(relative(join(root, 'dist'), path)))
}

/** Says what is missing, and how to get it, before a compiler says it in its own way. */
function hasToolchain() {
  const isThere = programs => programs.some(program => output(program, ['--version']) !== undefined)
  const needed = { 'Python 3': ['python3'], make: ['make'], 'a C++20 compiler': ['g++', 'c++', 'clang++'] }
  const missing = Object.keys(needed).filter(name => !isThere(needed[name]))
  if (missing.length === 0) return true
  say(`cannot build without ${missing.join(', ')}`)
  say('on Debian and Ubuntu: apt-get install build-essential python3 libssl-dev zlib1g-dev libzstd-dev libsasl2-dev libcurl4-openssl-dev')
  return false
}

async function succeeds(program, args) {
  const code = await run(program, args, { env: buildEnvironment() })
  if (code !== 0) say(`${program} ${args.join(' ')} failed with exit code ${code}`)
  return code === 0
}

// node-rdkafka's makefiles do not stand parallel jobs.
function buildEnvironment() {
  const { JOBS: _jobs, MAKEFLAGS: _flags, npm_config_jobs: _npm, ...env } = process.env
  return env
}

function filesBelow(folder, pattern) {
  const top = join(root, folder)
  if (!existsSync(top)) return []
  return readdirSync(top, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && pattern.test(entry.name))
    .map(entry => join(entry.parentPath ?? entry.path, entry.name))
}

function newest(paths) {
  return Math.max(...paths.map(changedAt))
}

/** 0 for what is not there. */
function changedAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

function say(text) {
  console.error(`set-up: ${text}`)
}
