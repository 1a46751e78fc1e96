// Reads a Java .properties file into settings that know their line.

import { readFileSync } from 'node:fs'
import { type Pair, parseLines } from 'dot-properties'

/** One setting and where it comes from: `file:line`, a flag or a variable. */
export interface Setting {
  name: string
  value: string
  origin: string
  /** What made it stronger than the file; absent for what stands in the file. */
  from?: 'environment' | 'flag'
  /** What stands between name and value in a file: prose has a space there. */
  separator?: string
}

export interface PropertiesFile {
  settings: Setting[]
  warnings: string[]
  problems: string[]
}

const mebibyte = 1_048_576

/** Never throws: what is wrong with the file is one of its problems. */
export function readPropertiesFile(path: string): PropertiesFile {
  try {
    const bytes = readFileSync(path)
    const problem = problemOf(bytes)
    if (problem === undefined) return parseProperties(decode(bytes), path)
    return { settings: [], warnings: [], problems: [`${path}: ${problem}`] }
  } catch (error) {
    return { settings: [], warnings: [], problems: [unreadable(path, error)] }
  }
}

export function parseProperties(text: string, path: string): PropertiesFile {
  const file: PropertiesFile = { settings: [], warnings: [], problems: [] }
  const lineOf = lineCounter(text)
  for (const node of parseLines(text, true)) {
    if (node.type !== 'PAIR') continue
    const pair = node as Pair
    addSetting(file, {
      name: pair.key.trim(),
      value: pair.value.trim(),
      origin: `${path}:${lineOf(pair.range?.[0] ?? 0)}`,
      separator: pair.separator(text) ?? '='
    })
  }
  return file
}

function addSetting(file: PropertiesFile, setting: Setting): void {
  const { name, origin } = setting
  if (name === '') {
    file.problems.push(`${origin}: a name is missing before the =. Set name=value`)
    return
  }
  // Two sentences may begin with the same word, and each is to be told.
  const at = isSentence(setting) ? -1 : file.settings.findIndex(other => other.name === name)
  const [earlier] = at === -1 ? [] : file.settings.splice(at, 1)
  if (earlier) {
    const what = `given before at ${earlier.origin}; the last one counts`
    file.warnings.push(`${origin}: ${name}: ${what}`)
  }
  file.settings.push(setting)
}

/** White space in the place of a sign, and words behind it. */
export function isSentence({ value, separator }: Setting): boolean {
  return separator !== undefined && !/[=:]/.test(separator) && /\s/.test(value)
}

function problemOf(bytes: Buffer): string | undefined {
  if (bytes.length > mebibyte) return 'it is larger than 1 MiB. Give a file of settings'
  if (bytes.includes(0)) return 'it is no text in UTF-8. Save it as UTF-8'
  return undefined
}

// Kafka's tools read ISO 8859-1; editors write UTF-8. Bytes that are valid UTF-8 are hardly ever anything else.
function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return bytes.toString('latin1')
  }
}

/** Gives line numbers for rising positions. */
function lineCounter(text: string): (position: number) => number {
  let line = 1
  let at = 0
  return position => {
    for (; at < position; at++) {
      if (text[at] === '\n' || (text[at] === '\r' && text[at + 1] !== '\n')) line++
    }
    return line
  }
}

function unreadable(path: string, error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  const why: Record<string, string> = {
    ENOENT: 'there is no such file',
    EACCES: 'no permission to read it',
    EISDIR: 'it is a folder'
  }
  return `${path}: cannot be read: ${why[code ?? ''] ?? code ?? String(error)}`
}
