// Says what is wrong with a flag that a command does not have, and what was probably meant.

import { nearestName } from '../config/suggest.ts'

/** `typed` is the flag with its dashes and without its value. */
export function unknownFlag(
  typed: string,
  known: readonly string[],
  ownersOf: (flag: string) => readonly string[]
): string {
  const name = typed.replace(/^-+/, '')
  const [first = '', value] = name.split(/\s+/, 2)
  if (value !== undefined && known.includes(first)) {
    return `"${typed}": the flag and its value are one argument. Put quotes around the value alone: --${first} '…'`
  }
  if (known.includes(name)) {
    return `${typed}: a flag begins with two dashes. Write --${name}`
  }
  const owners = ownersOf(name)
  if (owners.length > 0) {
    return `unknown flag ${typed}: it belongs to heliostat ${owners.join(' and heliostat ')}`
  }
  const meant = meantFlag(name, known)
  if (meant === undefined) return `unknown flag ${typed}`
  const isOff = name.startsWith('no-') && name.slice(3) === meant
  return `unknown flag ${typed}, did you mean "--${meant}${isOff ? '=false' : ''}"?`
}

function meantFlag(name: string, known: readonly string[]): string | undefined {
  if (known.includes(name.replace(/^no-/, ''))) return name.replace(/^no-/, '')
  const plain = plainOf(name)
  const same = known.find(flag => plainOf(flag) === plain)
  if (same !== undefined) return same
  // MirrorMaker's parser took beginnings of names too.
  const longer = plain === '' ? [] : known.filter(flag => plainOf(flag).startsWith(plain))
  return longer.length === 1 ? longer[0] : nearestName(name, known)
}

/** --numStreams, --num-streams and --NUM_STREAMS are the same to a reader. */
function plainOf(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
}
