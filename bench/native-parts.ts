// Owns the build of the bench's own native programs: compiled here when missing or older than a source.

import { execFile } from 'node:child_process'
import { mkdir, readdir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { projectRoot } from '../test/support/kafka-jars.ts'

const run = promisify(execFile)
const sources = join(projectRoot(), 'bench', 'native')
const output = join(sources, 'build')

const parts = {
  stub_broker: [
    'stub_broker.cc',
    'broker.cc',
    'admin_api.cc',
    'group.cc',
    'source_end.cc',
    'source_log.cc',
    'target_end.cc',
    'socket.cc'
  ],
  delay_proxy: ['delay_proxy.cc', 'socket.cc'],
  raw_relay: ['raw_relay.cc', 'socket.cc'],
  measured_run: ['measured_run.cc']
} as const
export type NativePart = keyof typeof parts

const built = new Map<NativePart, Promise<string>>()

/** The path of a native program, built when it has to be. */
export function nativePart(name: NativePart): Promise<string> {
  let path = built.get(name)
  if (path === undefined) {
    path = build(name)
    built.set(name, path)
  }
  return path
}

async function build(name: NativePart): Promise<string> {
  const path = join(output, name)
  if (await isFresh(path)) return path
  console.error(`building bench/native/${name}`)
  await mkdir(output, { recursive: true })
  const flags = ['-O2', '-std=c++20', '-Wall', '-Wextra', '-fno-exceptions', '-fno-rtti']
  const files = parts[name].map(file => join(sources, file))
  // Two benches may build at once: each its own file, and the last one stays.
  const partial = `${path}.${process.pid}`
  await run(process.env.CXX ?? 'c++', [...flags, '-o', partial, ...files, '-lpthread'])
  await rename(partial, path)
  return path
}

async function isFresh(path: string): Promise<boolean> {
  const program = await stat(path).catch(() => undefined)
  if (program === undefined) return false
  const files = (await readdir(sources)).filter(file => /\.(cc|h)$/.test(file))
  const stats = await Promise.all(files.map(file => stat(join(sources, file))))
  return stats.every(file => file.mtimeMs < program.mtimeMs)
}
