// Reads a Java .properties file into settings that know their line.

import { readFileSync } from 'node:fs'
import { type Pair, parseLines } from 'dot-properties'

/** One setting and where it comes from: `file:line`, a flag or a variable. */
export interface Setting {
  name: string
  value: string
  origin: string
}

export interface PropertiesFile {
  settings: Setting[]
  warnings: string[]
  problems: string[]
}

/** Never throws: what is wrong with the file is one of its problems. */
export function readPropertiesFile(path: string): PropertiesFile {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    return { settings: [], warnings: [], problems: [unreadable(path, error)] }
  }
  return parseProperties(decode(bytes), path)
}

export function parseProperties(text: string, path: string): PropertiesFile {
  const settings = new Map<string, Setting>()
  const warnings: string[] = []
  const problems: string[] = []
  const lineOf = lineCounter(text)
  for (const node of parseLines(text, true)) {
    if (node.type !== 'PAIR') continue
    const { key, value, range } = node as Pair
    const origin = `${path}:${lineOf(range?.[0] ?? 0)}`
    const earlier = settings.get(key)
    if (earlier) {
      warnings.push(`${origin}: ${key}: given before at ${earlier.origin}; the last one counts`)
      settings.delete(key)
    }
    const name = key.trim()
    if (name === '') problems.push(`${origin}: a name is missing before the =. Set name=value`)
    else settings.set(name, { name, value: value.trim(), origin })
  }
  return { settings: [...settings.values()], warnings, problems }
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
