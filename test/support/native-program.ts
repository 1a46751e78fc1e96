// Builds small C++ programs from the addon's pure files, for tests that need neither Node nor a broker.

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const outputFolder = join(root, 'build', 'native-tests')
const compiler = process.env.CXX ?? 'c++'

export interface ProgramSource {
  /** Paths from the repository's root, without those in `native`. */
  files: readonly string[]
  /** Names in src/native. */
  native: readonly string[]
  flags: readonly string[]
  /** Text to replace in a file of src/native: the program is built from a changed copy. */
  mutation?: Mutation
}

export interface Mutation {
  file: string
  from: string
  to: string
}

export interface Ended {
  exitCode: number
  output: string
}

/** Compiles unless the same sources were compiled before; returns the program's path. */
export async function buildProgram(name: string, source: ProgramSource): Promise<string> {
  const program = join(outputFolder, `${name}-${digestOf(source)}`)
  if (existsSync(program)) return program
  mkdirSync(outputFolder, { recursive: true })
  const native = source.mutation ? mutatedCopy(program, source.mutation) : join(root, 'src/native')
  const folders = new Set(source.files.map(file => join(root, file, '..')))
  const unfinished = `${program}.${process.pid}`
  const { exitCode, output } = await run(compiler, [
    '-std=gnu++20',
    '-g',
    '-Wall',
    '-Wextra',
    '-Werror',
    ...source.flags,
    `-I${native}`,
    ...[...folders].map(folder => `-I${folder}`),
    ...source.files.map(file => join(root, file)),
    ...source.native.map(file => join(native, file)),
    '-o',
    unfinished
  ])
  if (exitCode !== 0) throw new Error(`${name} does not compile: ${output}`)
  renameSync(unfinished, program)
  return program
}

/** Runs a program to its end; what it prints on both streams comes as one text. */
export function run(program: string, words: readonly string[]): Promise<Ended> {
  return new Promise(resolve => {
    const options = { maxBuffer: 64 * 1024 * 1024, timeout: 300_000 }
    execFile(program, words, options, (error, output, errors) => {
      const exitCode = error ? (typeof error.code === 'number' ? error.code : -1) : 0
      resolve({ exitCode, output: output + errors + (exitCode === -1 ? String(error) : '') })
    })
  })
}

function mutatedCopy(program: string, { file, from, to }: Mutation): string {
  const folder = `${program}.source`
  cpSync(join(root, 'src/native'), folder, { recursive: true })
  const text = readFileSync(join(folder, file), 'utf8')
  const count = text.split(from).length - 1
  if (count !== 1) throw new Error(`${file} has ${count} times, not once: ${from}`)
  writeFileSync(
    join(folder, file),
    text.replace(from, () => to)
  )
  return folder
}

function digestOf({ files, native, flags, mutation }: ProgramSource): string {
  const hash = createHash('sha256').update(JSON.stringify({ compiler, native, flags, mutation }))
  const folders = new Set(['src/native', ...files.map(file => join(file, '..'))])
  for (const folder of folders) {
    for (const name of readdirSync(join(root, folder)).sort()) {
      if (/\.(cc|h)$/.test(name)) hash.update(name).update(readFileSync(join(root, folder, name)))
    }
  }
  return hash.digest('hex').slice(0, 16)
}
