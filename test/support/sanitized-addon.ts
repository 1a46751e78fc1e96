// Builds the whole addon with AddressSanitizer and UBSan, beside the one in use, and says how a process loads it.
// What was compiled before is kept in the cache folder.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { isAbsolute, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { projectRoot } from './kafka-jars.ts'
import { buildProgram } from './native-program.ts'

const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=undefined']
const require = createRequire(import.meta.url)

/** Variables for a process in which `#addon` is the sanitized one. The first build takes a minute. */
export async function sanitizedAddon(): Promise<Record<string, string>> {
  const root = projectRoot()
  const settings = readFileSync(join(root, 'binding.gyp'), 'utf8')
  const client = join(librdkafka('root'), 'deps', 'librdkafka')
  const addon = await buildProgram('heliostat-sanitized', {
    files: listIn(settings, 'sources'),
    // Without optimization it compiles in half the time, and runs at half the speed.
    flags: [
      ...['-O0', '-fPIC', '-fno-exceptions', '-fno-omit-frame-pointer', ...sanitizers],
      ...definesIn(settings),
      `-isystem${nodeHeaders(root)}`,
      `-isystem${join(require.resolve('node-addon-api'), '..')}`,
      `-isystem${join(client, 'src')}`,
      `-isystem${client}`
    ],
    libraries: [
      ...['-shared', '-Wl,--exclude-libs,ALL', '-Wl,-Bsymbolic', '-Wl,-z,nodelete'],
      `-Wl,--version-script=${join(root, 'addon.map')}`,
      ...librdkafka('libs').split(' ')
    ],
    extension: '.node',
    folder: join(process.env.HELIOSTAT_CACHE ?? join(root, '.cache'), 'sanitized')
  })
  const hook = fileURLToPath(new URL('./sanitized-hook.js', import.meta.url))
  return {
    NODE_OPTIONS: `--import=${pathToFileURL(hook)}`,
    SANITIZED_ADDON: addon,
    LD_PRELOAD: `${libraryPath('libasan.so')} ${libraryPath('libstdc++.so.6')}`,
    // Node itself frees nothing at its end.
    ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=0',
    UBSAN_OPTIONS: 'print_stacktrace=1'
  }
}

function librdkafka(question: 'root' | 'libs' | 'ssl'): string {
  const script = join(projectRoot(), 'src', 'native', 'librdkafka.cjs')
  return execFileSync(process.execPath, [script, question], { encoding: 'utf8' })
}

/** The words of a list in binding.gyp. */
function listIn(settings: string, name: string): string[] {
  const body = new RegExp(`'${name}': \\[([^\\]]*)\\]`).exec(settings)?.[1] ?? ''
  const lines = body.split('\n').filter(line => !line.trim().startsWith('#'))
  return [...lines.join('\n').matchAll(/'([^']+)'/g)].map(([, word]) => word as string)
}

function definesIn(settings: string): string[] {
  const words = listIn(settings, 'defines').filter(word => !word.includes('<!'))
  return [...words, `HELIOSTAT_WITH_SSL=${librdkafka('ssl')}`].map(word => `-D${word}`)
}

/** Where the headers are that the addon in use was built with. */
function nodeHeaders(root: string): string {
  const config = readFileSync(join(root, 'build', 'config.gypi'), 'utf8')
  const folder = /"nodedir": "([^"]+)"/.exec(config)?.[1]
  if (folder === undefined) throw new Error('build/config.gypi names no nodedir')
  return join(folder, 'include', 'node')
}

function libraryPath(name: string): string {
  const compiler = process.env.CXX ?? 'c++'
  const path = execFileSync(compiler, [`-print-file-name=${name}`], { encoding: 'utf8' }).trim()
  if (!isAbsolute(path)) throw new Error(`${compiler} has no ${name}`)
  return path
}
