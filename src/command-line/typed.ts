// Finds flags and values that were copied from a web page, and shows them as they should have been typed.

import { dashes, nameLookAlike, quotes, spaces } from '../config/look-alikes.ts'
import { mask, redactAssignment } from '../config/redact.ts'
import { UsageError } from '../errors.ts'

const dashClass = `-${Object.keys(dashes).join('')}`
const quoteClass = Object.keys(quotes).join('')
const spaceClass = Object.keys(spaces).join('')
const leadingDashes = new RegExp(`^[${dashClass}]+`)
const oddDash = new RegExp(`[${dashClass.slice(1)}]`, 'g')
const oddSpaces = new RegExp(`[${spaceClass}]+`, 'g')
const outerOdd = new RegExp(`^[${quoteClass}${spaceClass}]+|[${quoteClass}${spaceClass}]+$`, 'g')

/** Whether it is meant as a flag, with whatever dashes. */
export function isFlagLike(arg: string): boolean {
  return leadingDashes.test(arg)
}

/** All of them in one message, each with the flag as it should have been typed. */
export function refuseLookAlikes(args: readonly string[]): void {
  const problems = splitAtFlags(args)
    .map(describeProblem)
    .filter(text => text !== undefined)
  if (problems.length > 0) throw new UsageError(problems)
}

/** A flag with the values behind it. */
interface Typed {
  /** Empty for what stands in front of the first flag. */
  flag: string
  values: string[]
}

function splitAtFlags(args: readonly string[]): Typed[] {
  const typed: Typed[] = [{ flag: '', values: [] }]
  for (const arg of args.flatMap(splitAtOddSpaces)) {
    if (isFlagLike(arg)) typed.push({ flag: arg, values: [] })
    else typed.at(-1)?.values.push(arg)
  }
  return typed
}

// A no-break space does not separate for the shell: the flag and its value arrive as one argument.
function splitAtOddSpaces(arg: string): string[] {
  const [space] = isFlagLike(arg) ? arg.matchAll(oddSpaces) : []
  if (space === undefined) return [arg]
  const end = space.index + space[0].length
  return end === arg.length ? [arg] : [arg.slice(0, end), arg.slice(end)]
}

function describeProblem({ flag, values }: Typed): string | undefined {
  const [name, inline] = splitOnce(flag)
  const given = inline === undefined ? values : [inline, ...values]
  const odd = [
    ...(name.match(oddDash) ?? []),
    ...[name, ...given].flatMap(text => [...(text.match(outerOdd)?.join('') ?? '')])
  ]
  if (odd.length === 0) return undefined
  const shown = [
    name + (inline === undefined ? '' : `=${maskSecret(inline)}`),
    maskSecret(values.join(' '))
  ]
  const text = shown.filter(part => part !== '').join(' ')
  const found = [...new Set(odd)].map(nameLookAlike).join(', ')
  const why = odd.every(char => char === '\r')
    ? "for the script has line ends of Windows; sed -i 's/\\r$//' FILE mends them"
    : 'as web pages print in place of what is typed'
  return `${visible(text)}: it holds ${found}, ${why}. Write ${correct(name, inline, values)}`
}

function correct(name: string, inline: string | undefined, values: readonly string[]): string {
  const rest = [...values]
  let bare = name.replace(leadingDashes, '').replaceAll(oddDash, '-').replaceAll(outerOdd, '')
  if (name !== '' && bare === '') bare = rest.shift() ?? ''
  const flag = name === '' ? '' : `--${bare}`
  const value = quote(rest.join(' '))
  if (inline !== undefined) return [`${flag}=${quote(inline)}`, value].filter(Boolean).join(' ')
  return [flag, value].filter(Boolean).join(' ')
}

function quote(value: string): string {
  const bare = maskSecret(value)
    .replaceAll(outerOdd, '')
    .replaceAll(new RegExp(`[${quoteClass}]`, 'g'), '')
  return /^[\w./:=@-]*$/.test(bare) ? bare : `'${bare}'`
}

function splitOnce(flag: string): [name: string, inline: string | undefined] {
  const at = flag.indexOf('=')
  return at === -1 ? [flag, undefined] : [flag.slice(0, at), flag.slice(at + 1)]
}

// Secrets are refused in overrides, but only later.
function maskSecret(value: string): string {
  const redacted = redactAssignment(value.replaceAll(outerOdd, ''))
  return redacted.endsWith(mask) ? redacted : value
}

function visible(text: string): string {
  return text.replaceAll(oddSpaces, run =>
    [...run].map(char => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`).join('')
  )
}
