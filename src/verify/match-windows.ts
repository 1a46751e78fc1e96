// Finds which records of two windows are the same ones, in order: what is left differs.

/** Pairs of places, rising on both sides. */
export interface Matches {
  source: number[]
  target: number[]
}

/** Up to here the longest common sequence of a gap is found by a table. */
const mostCells = 250_000

/**
 * In n log n: the k-th occurrence of a record on one side belongs to the k-th on the other, the longest rising row of these pairs is
 * kept, and small gaps between are looked through exactly.
 */
export function matchWindows(source: Float64Array, target: Float64Array): Matches {
  const matches: Matches = { source: [], target: [] }
  let [fromSource, fromTarget] = [0, 0]
  const add = (at: number, to: number) => {
    matches.source.push(at)
    matches.target.push(to)
  }
  const { pairs, hasRepeats } = pairByOccurrence(source, target)
  // With repeats the occurrences are a guess, which a table spares where it is small enough.
  const isSmall = source.length * target.length <= mostCells
  const rising = hasRepeats && isSmall ? [] : longestRising(pairs)
  for (const [at, to] of rising) {
    matchGap(source, target, { fromSource, toSource: at, fromTarget, toTarget: to }, add)
    add(at, to)
    fromSource = at + 1
    fromTarget = to + 1
  }
  const rest = { fromSource, toSource: source.length, fromTarget, toTarget: target.length }
  matchGap(source, target, rest, add)
  return matches
}

type Pair = [source: number, target: number]

function pairByOccurrence(
  source: Float64Array,
  target: Float64Array
): { pairs: Pair[]; hasRepeats: boolean } {
  const first = new Map<number, number>()
  const following = new Int32Array(target.length).fill(-1)
  let hasRepeats = false
  for (let at = target.length - 1; at >= 0; at--) {
    const identity = target[at] as number
    const next = first.get(identity)
    first.set(identity, at)
    if (next === undefined) continue
    following[at] = next
    hasRepeats = true
  }
  const pairs: Pair[] = []
  for (let at = 0; at < source.length; at++) {
    const identity = source[at] as number
    const found = first.get(identity)
    if (found === undefined) continue
    // Used up: the source has it more often.
    if (found < 0) hasRepeats = true
    else pairs.push([at, found])
    if (found >= 0) first.set(identity, following[found] as number)
  }
  return { pairs, hasRepeats }
}

/** Patience sorting: the longest row of pairs whose target places rise, as their source places do anyway. */
function longestRising(pairs: readonly Pair[]): Pair[] {
  const ends: number[] = []
  const before = new Int32Array(pairs.length).fill(-1)
  for (const [index, [, target]] of pairs.entries()) {
    let [low, high] = [0, ends.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((pairs[ends[middle] as number] as Pair)[1] < target) low = middle + 1
      else high = middle
    }
    if (low > 0) before[index] = ends[low - 1] as number
    ends[low] = index
  }
  const rising: Pair[] = []
  for (let index = ends.at(-1) ?? -1; index >= 0; index = before[index] as number) {
    rising.push(pairs[index] as Pair)
  }
  return rising.reverse()
}

interface Gap {
  fromSource: number
  toSource: number
  fromTarget: number
  toTarget: number
}

function matchGap(
  source: Float64Array,
  target: Float64Array,
  { fromSource, toSource, fromTarget, toTarget }: Gap,
  add: (source: number, target: number) => void
): void {
  const [rows, columns] = [toSource - fromSource, toTarget - fromTarget]
  if (rows === 0 || columns === 0 || rows * columns > mostCells) return
  const width = columns + 1
  // Of the rests from a place on, so that the pairs come out in order.
  const longest = new Uint16Array((rows + 1) * width)
  for (let row = rows - 1; row >= 0; row--) {
    for (let column = columns - 1; column >= 0; column--) {
      const isSame = source[fromSource + row] === target[fromTarget + column]
      longest[row * width + column] = isSame
        ? (longest[(row + 1) * width + column + 1] as number) + 1
        : Math.max(
            longest[(row + 1) * width + column] as number,
            longest[row * width + column + 1] as number
          )
    }
  }
  for (let row = 0, column = 0; row < rows && column < columns; ) {
    if (source[fromSource + row] === target[fromTarget + column]) {
      add(fromSource + row++, fromTarget + column++)
    } else if (
      (longest[(row + 1) * width + column] as number) >=
      (longest[row * width + column + 1] as number)
    ) {
      row++
    } else {
      column++
    }
  }
}
