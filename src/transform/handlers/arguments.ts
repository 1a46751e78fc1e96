// Reads what a built-in handler is given: the names that it has, each of its type, or one sentence on what is wrong.

import { didYouMean } from '../../config/suggest.ts'

/** Fails with what it expected; the name is set in front by whoever reads the arguments. */
export type Reader<Value> = (value: unknown) => Value

/** An argument that cannot be used. */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError'
}

type Readers = Readonly<Record<string, Reader<unknown>>>

export type ReadArguments<Rows extends Readers> = {
  readonly [Name in keyof Rows]: ReturnType<Rows[Name]> | undefined
}

/** `example` are arguments as one would write them, for messages. */
export function readArguments<Rows extends Readers>(
  args: unknown,
  rows: Rows,
  example: string
): ReadArguments<Rows> {
  const given = args === undefined || args === null ? {} : args
  if (typeof given !== 'object' || Array.isArray(given)) {
    const what = `expected arguments by name, got ${show(given)}`
    throw new ArgumentError(`${what}. Write ${example}`)
  }
  const names = Object.keys(rows)
  const values: Record<string, unknown> = Object.fromEntries(names.map(name => [name, undefined]))
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(rows, name)) throw new ArgumentError(unknownName(name, names, example))
    values[name] = readOne(name, value, rows[name] as Reader<unknown>)
  }
  return values as ReadArguments<Rows>
}

/** For what has to be given. */
export function missing(what: string, example: string): ArgumentError {
  return new ArgumentError(`${what} is missing. Write ${example}`)
}

function unknownName(name: string, names: readonly string[], example: string): string {
  if (names.length === 0) return `it takes no arguments, got ${name}`
  const meant = didYouMean(name, names) || `. There are ${names.join(', ')}, as in ${example}`
  return `there is no argument "${name}"${meant}`
}

function readOne(name: string, value: unknown, read: Reader<unknown>): unknown {
  try {
    return read(value)
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error
    throw new ArgumentError(`${name}: ${error.message}`, { cause: error })
  }
}

export function readText(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value
  const hint = typeof value === 'number' || typeof value === 'boolean' ? '. Put it in quotes' : ''
  throw new ArgumentError(`expected a text, got ${show(value)}${hint}`)
}

/** One text stands for a list of one. */
export function readTexts(value: unknown): string[] {
  if (!Array.isArray(value)) return [readText(value)]
  if (value.length === 0) throw new ArgumentError('expected at least one, got an empty list')
  return value.map(readText)
}

export function readChoice<Choice extends string>(choices: readonly Choice[]): Reader<Choice> {
  return value => {
    const found = choices.find(choice => choice === value)
    if (found !== undefined) return found
    const meant = typeof value === 'string' ? didYouMean(value, choices) : ''
    throw new ArgumentError(`expected ${choices.join(' or ')}, got ${show(value)}${meant}`)
  }
}

/** A value for each name, such as `{ region: "^eu" }`. */
export function readByName<Value>(read: Reader<Value>): Reader<[name: string, value: Value][]> {
  return value => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new ArgumentError(`expected { name: value }, got ${show(value)}`)
    }
    const entries = Object.entries(value)
    if (entries.length === 0) throw new ArgumentError('expected at least one name, got none')
    return entries.map(([name, one]) => [name, readOne(name, one, read) as Value])
  }
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value)
}
