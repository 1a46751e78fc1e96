// Reads a file of transforms: which handlers the records of which topics go through. Everything wrong is found at once.

import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Document, Node, YAMLMap } from 'yaml'
import { ConfigError, UsageError } from '../errors.ts'
import { readTopicPattern } from '../topics/pattern.ts'
import type { HandlerSpec } from '../transform/chain.ts'
import { ArgumentError } from '../transform/handlers/arguments.ts'
import type { Transforms } from '../transform/rules.ts'
import { ruleFinder, type TopicRule } from '../transform/topic-rules.ts'
import type { ErrorPolicy } from '../transform/transform.ts'
import { builtInSpec, isModulePath, moduleSpec } from './handler-spec.ts'
import { runOptions } from './options.ts'
import { didYouMean } from './suggest.ts'
import { yaml } from './yaml.ts'

/** What counts where a rule says nothing else. */
export interface RuleDefaults {
  onError: ErrorPolicy
  maxErrors: number
  timeLimitMs: number
}

/** A rule as it is shown. */
export interface DescribedRule {
  topics: string
  handlers: readonly string[]
  onError: ErrorPolicy
  maxErrors: number
  /** `file:line`, or a flag. */
  origin: string
}

const policies: readonly ErrorPolicy[] = runOptions['on-handler-error'].choices
const { min: leastErrors, max: mostErrors } = runOptions['max-handler-errors']
const ruleKeys = ['topics', 'handlers', 'on-error', 'max-errors']
const form = '{ topics: REGEX, handlers: [ … ] }'

/** Paths in it begin where the file is. A ConfigError has all that is wrong, each with its line. */
export function readTransformsFile(
  path: string,
  defaults: RuleDefaults
): { transforms: Transforms; rules: DescribedRule[] } {
  const file = new TransformsFile(path, readText(path), defaults)
  const rules = file.read()
  return {
    transforms: {
      chains: rules.map(({ specs }) => specs),
      timeLimitMs: defaults.timeLimitMs,
      ruleFor: ruleFinder(rules.map(({ rule }) => rule))
    },
    rules: rules.map(({ rule, specs }) => ({
      topics: rule.topics,
      handlers: specs.map(({ name }) => name),
      onError: rule.onError,
      maxErrors: rule.maxErrors,
      origin: rule.origin
    }))
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ConfigError(`${path}: it cannot be read: ${(cause as Error).message}`, { cause })
  }
}

interface ReadRule {
  rule: TopicRule
  specs: HandlerSpec[]
}

type Found = Node | null | undefined

class TransformsFile {
  readonly #path: string
  readonly #folder: string
  readonly #defaults: RuleDefaults
  readonly #lines = new (yaml().LineCounter)()
  readonly #document: Document
  readonly #problems: string[] = []

  constructor(path: string, text: string, defaults: RuleDefaults) {
    this.#path = path
    this.#folder = dirname(path)
    this.#defaults = defaults
    this.#document = yaml().parseDocument(text, { lineCounter: this.#lines, prettyErrors: false })
  }

  read(): ReadRule[] {
    const { errors, contents } = this.#document
    for (const { message, pos } of errors) this.#add(pos[0], message)
    const rules = errors.length === 0 ? this.#rules(contents) : []
    if (this.#problems.length > 0) throw new ConfigError(this.#problems)
    return rules
  }

  #rules(contents: Found): ReadRule[] {
    if (!yaml().isSeq(contents) || contents.items.length === 0) {
      this.#problem(contents, `expected a list of rules, each of them - ${form}`)
      return []
    }
    return contents.items.flatMap((item, index) => this.#rule(item as Node, index) ?? [])
  }

  #rule(item: Node, chain: number): ReadRule | undefined {
    const node = this.#resolve(item)
    if (!yaml().isMap(node)) return this.#problem(item, `expected a rule ${form}`)
    this.#refuseUnknown(node, ruleKeys)
    const topics = this.#topics(node)
    const specs = this.#handlers(node)
    const onError = this.#onError(node)
    const maxErrors = this.#maxErrors(node)
    if (topics === undefined || specs === undefined) return undefined
    return { rule: { ...topics, chain, onError, maxErrors, origin: this.#place(node) }, specs }
  }

  #topics(rule: YAMLMap): Pick<TopicRule, 'topics' | 'pattern'> | undefined {
    const node = this.#child(rule, 'topics')
    const topics = yaml().isScalar(node) ? node.value : undefined
    if (typeof topics !== 'string') {
      return this.#problem(node ?? rule, 'topics: expected a regular expression, such as orders.*')
    }
    try {
      return { topics, pattern: readTopicPattern(topics) }
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      for (const problem of error.problems) this.#problem(node, problem)
      return undefined
    }
  }

  #handlers(rule: YAMLMap): HandlerSpec[] | undefined {
    const node = this.#child(rule, 'handlers')
    if (!yaml().isSeq(node) || node.items.length === 0) {
      return this.#problem(node ?? rule, 'handlers: expected a list, such as [ drop-tombstones ]')
    }
    const specs = node.items.map(item => this.#handler(item as Node))
    return specs.every(spec => spec !== undefined) ? specs : undefined
  }

  #handler(item: Node): HandlerSpec | undefined {
    const node = this.#resolve(item)
    try {
      if (yaml().isScalar(node) && typeof node.value === 'string')
        return this.#spec(node.value, undefined)
      if (yaml().isMap(node)) return node.has('file') ? this.#module(node) : this.#builtIn(node)
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error
      return this.#problem(item, `handlers: ${error.message}`)
    }
    return this.#problem(item, 'handlers: expected a name, { NAME: arguments } or { file: PATH }')
  }

  #module(node: YAMLMap): HandlerSpec | undefined {
    this.#refuseUnknown(node, ['file', 'args'])
    const file = this.#child(node, 'file')
    if (!yaml().isScalar(file) || typeof file.value !== 'string' || file.value === '') {
      return this.#problem(node, 'file: expected a path, such as ./handler.mjs')
    }
    return this.#called(file.value, () =>
      moduleSpec(file.value as string, this.#plain(node.get('args', true)), this.#folder)
    )
  }

  #builtIn(node: YAMLMap): HandlerSpec | undefined {
    const [pair, second] = node.items
    if (pair === undefined || second !== undefined) {
      const names = node.items.map(({ key }) => String(key)).join(', ')
      return this.#problem(
        node,
        `handlers: expected one name with its arguments, got ${names || 'none'}. Write each handler as an entry of its own`
      )
    }
    return this.#spec(String(pair.key), this.#plain(pair.value as Found))
  }

  #spec(name: string, args: unknown): HandlerSpec {
    const make = isModulePath(name) ? moduleSpec : builtInSpec
    return this.#called(name, () => make(name, args, this.#folder))
  }

  #called(name: string, make: () => HandlerSpec): HandlerSpec {
    try {
      return make()
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error
      throw new ArgumentError(`${name}: ${error.message}`, { cause: error })
    }
  }

  #onError(rule: YAMLMap): ErrorPolicy {
    const node = this.#child(rule, 'on-error')
    if (node === undefined) return this.#defaults.onError
    const value = yaml().isScalar(node) ? node.value : undefined
    const policy = policies.find(one => one === value)
    if (policy === undefined) this.#problem(node, `on-error: expected ${policies.join(' or ')}`)
    return policy ?? this.#defaults.onError
  }

  #maxErrors(rule: YAMLMap): number {
    const node = this.#child(rule, 'max-errors')
    if (node === undefined) return this.#defaults.maxErrors
    const value = yaml().isScalar(node) ? node.value : undefined
    if (Number.isSafeInteger(value) && (value as number) >= leastErrors) return value as number
    this.#problem(node, `max-errors: expected a whole number from ${leastErrors} to ${mostErrors}`)
    return this.#defaults.maxErrors
  }

  #refuseUnknown(map: YAMLMap, known: readonly string[]): void {
    for (const { key } of map.items) {
      const name = String(key)
      if (known.includes(name)) continue
      const meant = didYouMean(name, known) || `. There are ${known.join(', ')}`
      this.#problem(key as Found, `there is no "${name}" here${meant}`)
    }
  }

  #child(map: YAMLMap, key: string): Found {
    return this.#resolve(map.get(key, true) as Found)
  }

  #resolve(node: Found): Found {
    return yaml().isAlias(node) ? (node.resolve(this.#document) as Found) : node
  }

  #plain(node: Found): unknown {
    return node === null || node === undefined ? undefined : node.toJS(this.#document)
  }

  #problem(node: Found, what: string): undefined {
    this.#add(node?.range?.[0] ?? 0, what)
    return undefined
  }

  #add(at: number, what: string): void {
    this.#problems.push(`${this.#path}:${this.#lineOf(at)}: ${what}`)
  }

  #place(node: Node): string {
    return `${this.#path}:${this.#lineOf(node.range?.[0] ?? 0)}`
  }

  #lineOf(at: number): number {
    return this.#lines.linePos(at).line || 1
  }
}
