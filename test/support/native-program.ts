// Builds small C++ programs from the addon's pure files, for tests that need neither Node nor a broker.
// What was compiled before is kept by a digest of all that went into it.

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync
} from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const outputFolder = join(root, 'build', 'native-tests')
const compiler = process.env.CXX ?? 'c++'
const execute = promisify(execFile)
const limits = { maxBuffer: 64 * 1024 * 1024, timeout: 300_000 }
const compileFlags = ['-g', '-Wall', '-Wextra', '-Werror']

export interface ProgramSource {
  /** Paths from the repository's root. Their folders and src/native are searched for headers. */
  files: readonly string[]
  flags: readonly string[]
  /** Only for linking, behind the objects. */
  libraries?: readonly string[]
  mutation?: Mutation
  /** What the program's name ends with; nothing unless given. */
  extension?: string
  /** Where it is kept; a folder of the build unless given, which a rebuild of the addon clears. */
  folder?: string
}

/** Text to replace in one of the files, for a program with a deliberate fault. */
export interface Mutation {
  file: string
  from: string
  to: string
}

export interface Ended {
  exitCode: number
  output: string
}

/** Returns the path of the program. */
export async function buildProgram(name: string, source: ProgramSource): Promise<string> {
  const { flags, libraries = [], extension = '', folder = outputFolder } = source
  mkdirSync(folder, { recursive: true })
  const folders = [...new Set(['src/native', ...source.files.map(dirname)])]
  const context = JSON.stringify({ compiler, compileFlags, flags, libraries })
  const headers = readHeaders(folders)
  const sources = source.files.map(file => {
    const text = textOf(file, source.mutation)
    const name = `${nameOf(file)}-${digest(context, text, ...included(text, headers))}.o`
    return { file, text, object: join(folder, name) }
  })
  const missing = sources.filter(({ object }) => !existsSync(object))
  const compileNext = async () => {
    for (let next = missing.pop(); next !== undefined; next = missing.pop()) {
      await compile(next.file, next.text, folders, flags, next.object)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, compileNext))
  const objects = sources.map(({ object }) => object)
  const program = join(folder, `${name}-${digest(context, ...objects)}${extension}`)
  if (!existsSync(program)) await produce(program, [...flags, ...objects, ...libraries])
  return program
}

/** Runs a program to its end; what it prints on both streams comes as one text. */
export async function run(program: string, words: readonly string[]): Promise<Ended> {
  try {
    const { stdout, stderr } = await execute(program, words, limits)
    return { exitCode: 0, output: stdout + stderr }
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as Partial<Record<string, string | number>>
    const output = `${stdout}${stderr}`
    return typeof code === 'number'
      ? { exitCode: code, output }
      : { exitCode: -1, output: `${output}${error}` }
  }
}

async function compile(
  file: string,
  text: string,
  folders: readonly string[],
  flags: readonly string[],
  object: string
): Promise<void> {
  // From a copy, so that a mutation leaves the tree alone and an error still names the file.
  const copy = `${object}.cc`
  writeFileSync(copy, `#line 1 "${file}"\n${text}`)
  const paths = folders.map(folder => `-I${join(root, folder)}`)
  const language = file.endsWith('.c') ? ['-x', 'c', '-std=gnu11'] : ['-std=gnu++20']
  await produce(object, [...language, ...compileFlags, ...flags, ...paths, '-c', copy])
}

async function produce(output: string, words: readonly string[]): Promise<void> {
  const unfinished = `${output}.${process.pid}`
  const ended = await run(compiler, [...words, '-o', unfinished])
  if (ended.exitCode !== 0) throw new Error(`${basename(output)} does not compile: ${ended.output}`)
  renameSync(unfinished, output)
}

function textOf(file: string, mutation: Mutation | undefined): string {
  const text = readFileSync(join(root, file), 'utf8')
  if (mutation?.file !== file) return text
  const count = text.split(mutation.from).length - 1
  if (count !== 1) throw new Error(`${file} holds this ${count} times, not once: ${mutation.from}`)
  return text.replace(mutation.from, () => mutation.to)
}

function nameOf(file: string): string {
  return basename(file).replace(/\.cc?$/, '')
}

function readHeaders(folders: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>()
  for (const folder of folders) {
    for (const name of readdirSync(join(root, folder))) {
      if (name.endsWith('.h')) headers.set(name, readFileSync(join(root, folder, name), 'utf8'))
    }
  }
  return headers
}

/** The texts of our own headers that a text includes, and of those that these do. */
function included(text: string, headers: ReadonlyMap<string, string>): string[] {
  const found = new Set<string>()
  const visit = (from: string) => {
    for (const [, path] of from.matchAll(/^#include "([^"]+)"/gm)) {
      const name = basename(path as string)
      const header = headers.get(name)
      if (header === undefined || found.has(name)) continue
      found.add(name)
      visit(header)
    }
  }
  visit(text)
  return [...found].sort().map(name => headers.get(name) as string)
}

function digest(...parts: string[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part).update('\0')
  return hash.digest('hex').slice(0, 16)
}
