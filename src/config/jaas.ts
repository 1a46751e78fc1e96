// Parses the one login module of a sasl.jaas.config value.
//
//   module.Class required|requisite|sufficient|optional key="value" key=value … ;

import { nameLookAlike, quotes } from './look-alikes.ts'

export interface LoginModule {
  /** Class name without its package. */
  name: string
  className: string
  options: ReadonlyMap<string, string>
}

type Token = { kind: 'word' | 'text' | 'sign'; value: string }

/** Throws an Error whose message says what is wrong and never quotes a value. */
export function parseJaas(text: string): LoginModule {
  const tokens = tokenize(text)
  const className = expectWord(tokens.shift(), 'the class of a login module')
  const control = expectWord(tokens.shift(), 'required')
  if (!/^(?:required|requisite|sufficient|optional)$/i.test(control)) {
    throw new Error('expected "required" after the class of the login module')
  }
  const options = new Map<string, string>()
  for (;;) {
    const token = tokens.shift()
    if (token === undefined) throw new Error('the ; at its end is missing')
    if (token.kind === 'sign' && token.value === ';') break
    const key = expectWord(token, 'an option')
    if (tokens.shift()?.value !== '=') throw new Error('expected = after the name of an option')
    const value = tokens.shift()
    if (value === undefined || value.kind === 'sign')
      throw new Error('the value of an option is missing')
    const quote = value.value.at(0) ?? ''
    if (value.kind === 'word' && quote in quotes)
      throw new Error(`a value stands in ${nameLookAlike(quote)} in place of "`)
    if (options.has(key)) throw new Error('one of its options is given twice')
    options.set(key, value.value)
  }
  if (tokens.length > 0) throw new Error('it has more than one login module')
  return { name: className.slice(className.lastIndexOf('.') + 1), className, options }
}

function expectWord(token: Token | undefined, what: string): string {
  if (token?.kind !== 'word') throw new Error(`expected ${what}`)
  return token.value
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  const grammar = /\s+|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([=;])|([^\s"'=;]+)/gy
  while (grammar.lastIndex < text.length) {
    const match = grammar.exec(text)
    if (!match) throw new Error('a quote is not closed')
    const quoted = match[1] ?? match[2]
    if (quoted !== undefined) tokens.push({ kind: 'text', value: unescapeText(quoted) })
    else if (match[3] !== undefined) tokens.push({ kind: 'sign', value: match[3] })
    else if (match[4] !== undefined) tokens.push({ kind: 'word', value: match[4] })
  }
  return tokens
}

const escapes: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
  ['f', '\f'],
  ['b', '\b']
])

function unescapeText(text: string): string {
  return text.replaceAll(/\\(.)/gs, (_, char: string) => escapes.get(char) ?? char)
}
