// Translates a Java regular expression into one of JavaScript's that matches the same topic names, or the same texts.
//
// What has no equal here is refused with its position; nothing is passed on in the hope that it fits.
// Names hold letters, digits, dots, dashes and underscores, so line ends and Unicode rules do not matter; in texts
// they do. There (?i) also takes letters beyond ASCII, as Java's (?iu) does.

import type { NamePattern } from './pattern.ts'

type Refuse = (at: number, why: string) => never
/** What is matched: names of topics, or whatever records hold. */
type Subject = 'name' | 'text'

/** Java's ASCII classes, as the inside of a JavaScript class. */
const asciiClasses: Readonly<Record<string, string>> = {
  Lower: 'a-z',
  Upper: 'A-Z',
  ASCII: '\\x00-\\x7f',
  Alpha: 'a-zA-Z',
  Digit: '0-9',
  Alnum: 'a-zA-Z0-9',
  Punct: '!-\\/:-@\\[-`\\{-~',
  Graph: '!-~',
  Print: ' -~',
  Blank: ' \\t',
  Cntrl: '\\x00-\\x1f\\x7f',
  XDigit: '0-9a-fA-F',
  Space: ' \\t\\n\\x0b\\f\\r'
}

const controlEscapes: Readonly<Record<string, string>> = {
  t: '\\t',
  n: '\\n',
  r: '\\r',
  f: '\\f',
  a: '\\x07',
  e: '\\x1b'
}

const specials = new Set('\\^$.|?*+()[]{}/')

// Java's white space is ASCII, and its lines end in more ways than JavaScript's.
const space = ' \\t\\n\\x0b\\f\\r'
const noSpace = '\\x00-\\x08\\x0e-\\x1f!-\\u{10ffff}'
const lineEnds = '\\n\\r\\x85\\u2028\\u2029'

export function translateJavaRegex(
  pattern: string,
  refuse: Refuse,
  subject: Subject = 'name'
): NamePattern {
  return new Translation(pattern, refuse, subject).run()
}

class Translation {
  readonly #pattern: string
  readonly #refuse: Refuse
  readonly #isText: boolean
  #at = 0
  #depth = 0
  #flags = 'u'
  #leading = ''

  constructor(pattern: string, refuse: Refuse, subject: Subject) {
    this.#pattern = pattern
    this.#refuse = refuse
    this.#isText = subject === 'text'
  }

  run(): NamePattern {
    this.#readLeadingFlags()
    const parts: string[] = []
    // Whether the last part can be repeated, and whether it is one character wide.
    let atom: 'none' | 'one' | 'many' = 'none'
    while (this.#at < this.#pattern.length) {
      const start = this.#at
      const char = this.#pattern[this.#at] as string
      if ('*+?{'.includes(char)) {
        if (atom === 'none') this.#danglingQuantifier(char)
        parts.push(this.#quantifier(atom))
        atom = 'none'
      } else if (char === '(') {
        parts.push(this.#openGroup())
        atom = 'none'
      } else if (char === ')') {
        if (this.#depth-- === 0) this.#refuse(start, 'this ) has no ( before it')
        this.#at++
        parts.push(')')
        atom = 'many'
      } else if (char === '[') {
        parts.push(this.#class())
        atom = 'one'
      } else if (char === '\\') {
        const escaped = this.#escape()
        parts.push(escaped.text)
        atom = escaped.atom
      } else {
        this.#at++
        const isAnchor = char === '^' || char === '$' || char === '|'
        parts.push(isAnchor || char === '.' ? this.#meta(char) : literal(char))
        atom = isAnchor ? 'none' : 'one'
      }
    }
    if (this.#depth > 0) this.#refuse(this.#pattern.length, 'a ) is missing here')
    return { source: parts.join(''), flags: this.#flags }
  }

  #readLeadingFlags(): void {
    const flags = /^\(\?([a-zA-Z]+)\)/.exec(this.#pattern)
    if (!flags) return
    for (const [index, flag] of [...(flags[1] as string)].entries()) {
      if (flag === 'i') this.#flags = 'iu'
      else if (flag === 'u' && this.#isText) continue
      // Dot-all, multi-line and Unix lines are about line ends, which no topic name has.
      else if (!'smd'.includes(flag))
        this.#refuse(index + 2, `the flag ${flag} is not supported here`)
    }
    this.#leading = flags[1] as string
    this.#at = flags[0].length
  }

  /** A dot or an anchor. */
  #meta(char: string): string {
    if (!this.#isText) return char
    const ends = this.#leading.includes('d') ? '\\n' : lineEnds
    const isMultiLine = this.#leading.includes('m')
    if (char === '.') return this.#leading.includes('s') ? '[^]' : `[^${ends}]`
    if (char === '^' && isMultiLine) return `(?:^|(?<=[${ends}])(?<!\\r(?=\\n))(?=[^]))`
    if (char === '$' && isMultiLine) return `(?=[${ends}]|$)${this.#notInLineEnd(ends)}`
    return char === '$' ? this.#lastLineEnd(ends) : char
  }

  /** At the end, or before the line end that stands there. */
  #lastLineEnd(ends: string): string {
    const crLf = ends === lineEnds ? '\\r\\n|' : ''
    return `(?=(?:${crLf}[${ends}])?$)${this.#notInLineEnd(ends)}`
  }

  #notInLineEnd(ends: string): string {
    return ends === lineEnds ? '(?<!\\r(?=\\n))' : ''
  }

  #danglingQuantifier(char: string): never {
    if (char === '{') return this.#refuse(this.#at, 'a { that is meant literally is written \\{')
    const hint = char === '*' ? '. For every name write .* and for a dot \\.' : ''
    return this.#refuse(this.#at, `there is nothing before this ${char} to repeat${hint}`)
  }

  #quantifier(atom: 'one' | 'many'): string {
    const start = this.#at
    const count = /^(?:[*+?]|\{\d+(?:,\d*)?\})/.exec(this.#pattern.slice(start))
    if (!count)
      return this.#refuse(start, 'a repetition is written {3}; a literal { is written \\{')
    this.#at += count[0].length
    const mode = this.#pattern[this.#at]
    if (mode === '?') {
      this.#at++
      return `${count[0]}?`
    }
    if (mode !== '+') return count[0]
    this.#at++
    // At the end of an alternative giving nothing back changes nothing: less would not reach the end either.
    const isLast =
      /^\)*$/.test(this.#pattern.slice(this.#at)) ||
      (this.#depth === 0 && this.#pattern[this.#at] === '|')
    if (atom === 'one' && isLast) return count[0]
    return this.#refuse(
      start,
      `the possessive ${count[0]}+ is not supported here: write ${count[0]}`
    )
  }

  #openGroup(): string {
    const start = this.#at
    const opening = /^\((?:\?(?::|=|!|<=|<!|<[a-zA-Z][a-zA-Z0-9]*>))?/.exec(
      this.#pattern.slice(start)
    )
    const text = (opening as RegExpExecArray)[0]
    this.#at += text.length
    if (text === '(' && this.#pattern[this.#at] === '?') {
      const isAtomic = this.#pattern[this.#at + 1] === '>'
      const what = isAtomic ? 'an atomic group (?>' : 'a flag inside the pattern'
      this.#refuse(
        start,
        `${what} is not supported here${isAtomic ? '' : ': put (?i) at the very start'}`
      )
    }
    this.#depth++
    return text
  }

  #escape(): { text: string; atom: 'none' | 'one' | 'many' } {
    const start = this.#at
    const next = this.#pattern[start + 1]
    if (next === undefined) return this.#refuse(start, 'there is nothing after this \\')
    if (next === 'Q') return { text: this.#quoted(), atom: 'one' }
    const ends = this.#leading.includes('d') ? '\\n' : lineEnds
    const last = this.#isText ? this.#lastLineEnd(ends) : '$'
    const fixed: Record<string, string> = { A: '^', z: '$', Z: last, b: '\\b', B: '\\B' }
    if (fixed[next] !== undefined) {
      this.#at += 2
      return { text: fixed[next], atom: 'none' }
    }
    const back = /^\\(?:[1-9]|k<[a-zA-Z][a-zA-Z0-9]*>)/.exec(this.#pattern.slice(start))
    if (back) {
      this.#at += back[0].length
      // A digit that follows is a literal, which must not join the number of the group.
      return { text: `(?:${back[0]})`, atom: 'many' }
    }
    return { text: this.#characterEscape(false), atom: 'one' }
  }

  #quoted(): string {
    const end = this.#pattern.indexOf('\\E', this.#at)
    const text = this.#pattern.slice(this.#at + 2, end === -1 ? undefined : end)
    this.#at = end === -1 ? this.#pattern.length : end + 2
    return [...text].map(literal).join('')
  }

  /** An escape that stands for one character, or a set of them, inside and outside of a class. */
  #characterEscape(isInClass: boolean): string {
    const start = this.#at
    const rest = this.#pattern.slice(start)
    const next = rest[1]
    if (next === undefined) return this.#refuse(start, 'there is nothing after this \\')
    if (this.#isText && (next === 's' || next === 'S')) {
      const set = next === 's' ? space : noSpace
      return this.#take(2, isInClass ? set : `[${set}]`)
    }
    if (/[dDwWsS]/.test(next)) return this.#take(2, `\\${next}`)
    const control = controlEscapes[next]
    if (control !== undefined) return this.#take(2, control)
    if (next === 'p' || next === 'P') return this.#property(isInClass)
    const code = /^\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|x\{([0-9a-fA-F]{1,6})\})/.exec(rest)
    if (code) return this.#take(code[0].length, `\\u{${code[1] ?? code[2] ?? code[3]}}`)
    if (/[a-zA-Z0-9]/.test(next)) {
      return this.#refuse(start, `\\${next} is not supported here`)
    }
    return this.#take(2, isInClass && next === '-' ? '\\-' : literal(next))
  }

  #property(isInClass: boolean): string {
    const start = this.#at
    const name = /^\\([pP])\{(\w+)\}/.exec(this.#pattern.slice(start))
    const ascii = asciiClasses[name?.[2] ?? '']
    if (!name || ascii === undefined) {
      const known = Object.keys(asciiClasses).join(', ')
      return this.#refuse(start, `of \\p{…} only these are supported: ${known}`)
    }
    if (name[1] === 'p') return this.#take(name[0].length, isInClass ? ascii : `[${ascii}]`)
    if (isInClass) return this.#refuse(start, '\\P{…} is not supported inside [ ]')
    return this.#take(name[0].length, `[^${ascii}]`)
  }

  #class(): string {
    const start = this.#at++
    let text = '['
    if (this.#pattern[this.#at] === '^') {
      this.#at++
      text += '^'
    }
    const first = this.#at
    while (this.#at < this.#pattern.length) {
      const char = this.#pattern[this.#at] as string
      if (char === ']' && this.#at > first) {
        this.#at++
        return `${text}]`
      }
      text += this.#classItem(char, first)
    }
    return this.#refuse(start, 'this [ has no ] after it')
  }

  #classItem(char: string, first: number): string {
    const at = this.#at
    if (char === '[')
      return this.#refuse(at, 'a class inside a class is not supported: join them, or write \\[')
    if (this.#pattern.startsWith('&&', at)) {
      return this.#refuse(
        at,
        'an intersection && is not supported: use a look-ahead, such as (?!b)[a-z]'
      )
    }
    if (this.#pattern.startsWith('\\Q', at)) return this.#quoted()
    if (char === '\\') return this.#characterEscape(true)
    this.#at++
    if (char !== '-') return literal(char)
    const before = this.#pattern.slice(first, at)
    const isRange = at > first && this.#pattern[this.#at] !== ']' && !/\\[dDwWsS]$|\}$/.test(before)
    return isRange && !/^\\[dDwWsSpPQ]/.test(this.#pattern.slice(this.#at)) ? '-' : '\\-'
  }

  #take(length: number, text: string): string {
    this.#at += length
    return text
  }
}

function literal(char: string): string {
  return specials.has(char) ? `\\${char}` : char
}
