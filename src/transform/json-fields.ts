// Finds fields of a JSON value where they stand, so that the bytes around them stay as they are.
//
// All of the value is read strictly (RFC 8259), also what is not asked for: what is wrong behind a field is found too.

import { isUtf8 } from 'node:buffer'

/** Where a field's value stands. */
export interface FieldSpan {
  /** Index of the path that led to it. */
  path: number
  start: number
  /** Behind it. */
  end: number
}

/** The bytes are no JSON; says where. */
export class JsonFault extends Error {
  override readonly name = 'JsonFault'
}

interface Step {
  /** UTF-8. */
  key: Buffer
  name: string
  /** Of the path that ends here; -1 for none. */
  path: number
  next: Step[]
}

// A value that nests deeper could take the thread's stack.
const mostDepth = 1_000

/** Takes a dotted path apart; `\.` is a dot in a name. Undefined where a name is empty. */
export function splitPath(path: string): string[] | undefined {
  const names = path.split(/(?<!\\)\./).map(name => name.replaceAll('\\.', '.'))
  return names.includes('') ? undefined : names
}

export class JsonFields {
  readonly #root: Step = { key: Buffer.alloc(0), name: '', path: -1, next: [] }

  /** Names from the outside inwards; an array on the way stands for all that it holds. No path twice. */
  constructor(paths: readonly (readonly string[])[]) {
    for (const [index, names] of paths.entries()) {
      let step = this.#root
      for (const name of names) step = stepTo(step, name)
      step.path = index
    }
  }

  /**
   * In the order in which they begin; what stands there twice is found twice. A JsonFault where the bytes are no
   * JSON.
   */
  find(bytes: Buffer): FieldSpan[] {
    if (!isUtf8(bytes)) throw new JsonFault('the value is no JSON: it is no UTF-8')
    return new Scan(bytes).run(this.#root)
  }
}

function stepTo(from: Step, name: string): Step {
  const found = from.next.find(step => step.name === name)
  if (found) return found
  const step: Step = { key: Buffer.from(name), name, path: -1, next: [] }
  from.next.push(step)
  return step
}

const quote = 0x22
const comma = 0x2c
const minus = 0x2d
const dot = 0x2e
const zero = 0x30
const colon = 0x3a
const openBracket = 0x5b
const backslash = 0x5c
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d
const simpleEscapes: ReadonlySet<number> = new Set(Buffer.from('"\\/bfnrt'))
const words = [Buffer.from('true'), Buffer.from('false'), Buffer.from('null')]

class Scan {
  readonly #bytes: Buffer
  readonly #spans: FieldSpan[] = []
  #at = 0
  #hasEscape = false

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  run(root: Step): FieldSpan[] {
    this.#value(root, 0)
    this.#skipSpace()
    if (this.#at < this.#bytes.length) this.#fail()
    return this.#spans
  }

  /** Stands behind the value then. */
  #value(step: Step | undefined, depth: number): void {
    if (depth > mostDepth) {
      throw new JsonFault(`the value nests deeper than ${mostDepth} levels at byte ${this.#at}`)
    }
    this.#skipSpace()
    const next = this.#bytes[this.#at]
    if (next === openBrace) this.#object(step, depth)
    else if (next === openBracket) this.#array(step, depth)
    else if (next === quote) this.#string()
    else if (next === minus || isDigit(next)) this.#number()
    else this.#word()
  }

  #object(step: Step | undefined, depth: number): void {
    this.#at++
    if (this.#ends(closeBrace)) return
    do {
      this.#skipSpace()
      if (this.#bytes[this.#at] !== quote) this.#fail()
      const start = this.#at
      this.#string()
      const field = step && this.#match(step, start)
      this.#skipSpace()
      if (this.#bytes[this.#at] !== colon) this.#fail()
      this.#at++
      this.#field(field, depth)
    } while (this.#goesOn(closeBrace))
  }

  #field(field: Step | undefined, depth: number): void {
    if (field === undefined || field.path < 0) return this.#value(field, depth + 1)
    this.#skipSpace()
    const span = { path: field.path, start: this.#at, end: 0 }
    this.#spans.push(span)
    this.#value(field, depth + 1)
    span.end = this.#at
  }

  #array(step: Step | undefined, depth: number): void {
    this.#at++
    if (this.#ends(closeBracket)) return
    do this.#value(step, depth + 1)
    while (this.#goesOn(closeBracket))
  }

  #ends(close: number): boolean {
    this.#skipSpace()
    if (this.#bytes[this.#at] !== close) return false
    this.#at++
    return true
  }

  #goesOn(close: number): boolean {
    if (this.#ends(close)) return false
    if (this.#bytes[this.#at] !== comma) this.#fail()
    this.#at++
    return true
  }

  /** The step that the key between the last two quotes names. */
  #match({ next }: Step, start: number): Step | undefined {
    if (next.length === 0) return undefined
    const bytes = this.#bytes
    const end = this.#at
    if (this.#hasEscape) {
      const name: unknown = JSON.parse(bytes.toString('utf8', start, end))
      return next.find(step => step.name === name)
    }
    const length = end - start - 2
    return next.find(({ key }) => key.length === length && isAt(bytes, key, start + 1))
  }

  #string(): void {
    const bytes = this.#bytes
    this.#hasEscape = false
    let at = this.#at + 1
    for (let byte = bytes[at]; byte !== quote; byte = bytes[++at]) {
      if (byte === undefined || byte < 0x20) this.#fail(at)
      if (byte !== backslash) continue
      this.#hasEscape = true
      at = this.#escape(at + 1)
    }
    this.#at = at + 1
  }

  /** Returns where the last character of the escape stands. */
  #escape(at: number): number {
    const byte = this.#bytes[at]
    if (byte !== undefined && simpleEscapes.has(byte)) return at
    const isUnicode = byte === 0x75 && /^[\da-fA-F]{4}$/.test(this.#text(at + 1, at + 5))
    return isUnicode ? at + 4 : this.#fail(at)
  }

  #number(): void {
    const bytes = this.#bytes
    if (bytes[this.#at] === minus) this.#at++
    if (bytes[this.#at] === zero) this.#at++
    else this.#digits()
    if (bytes[this.#at] === dot) {
      this.#at++
      this.#digits()
    }
    const isExponent = bytes[this.#at] === 0x65 || bytes[this.#at] === 0x45
    if (!isExponent) return
    this.#at++
    if (bytes[this.#at] === 0x2b || bytes[this.#at] === minus) this.#at++
    this.#digits()
  }

  #digits(): void {
    const start = this.#at
    while (isDigit(this.#bytes[this.#at])) this.#at++
    if (this.#at === start) this.#fail()
  }

  #word(): void {
    const bytes = this.#bytes
    const word = words.find(
      one =>
        this.#at + one.length <= bytes.length &&
        one.compare(bytes, this.#at, this.#at + one.length) === 0
    )
    if (word === undefined) this.#fail()
    this.#at += word.length
  }

  #skipSpace(): void {
    const bytes = this.#bytes
    for (let byte = bytes[this.#at]; isSpace(byte); byte = bytes[this.#at]) this.#at++
  }

  #text(start: number, end: number): string {
    return this.#bytes.toString('latin1', start, end)
  }

  #fail(at = this.#at): never {
    const isCut = at >= this.#bytes.length
    throw new JsonFault(
      isCut ? `the value is no JSON: it ends at byte ${at}` : `the value is no JSON at byte ${at}`
    )
  }
}

/** Names are short: a call out of JavaScript takes longer. */
function isAt(bytes: Buffer, name: Buffer, at: number): boolean {
  for (let place = 0; place < name.length; place++) {
    if (bytes[at + place] !== name[place]) return false
  }
  return true
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= zero && byte <= 0x39
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}
