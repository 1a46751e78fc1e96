// Owns how values become places on an axis, and which values the axis names.

export interface Scale {
  ticks: number[]
  /** Pixels from the axis's begin. */
  place(value: number): number
}

const mostTicks = 6

/** From 0 to the first round tick that is not below `most`. */
export function linearScale(most: number, length: number): Scale {
  const step = roundStep(most > 0 ? most : 1)
  const last = Math.max(1, Math.ceil(most / step))
  return {
    // Multiplied, not added up: no rounding errors in the labels.
    ticks: Array.from({ length: last + 1 }, (_, index) => index * step),
    place: value => (value / (last * step)) * length
  }
}

/** The smallest of 1, 2 and 5 times a power of ten that divides the way into few enough steps. */
function roundStep(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most / (mostTicks - 1)))
  const factor = [1, 2, 5].find(times => most / (times * power) <= mostTicks - 1) ?? 10
  return factor * power
}

/** Even steps for even ratios; the ticks are the values themselves, which have to be above 0. */
export function logScale(values: readonly number[], length: number): Scale {
  const ticks = [...new Set(values)].sort((a, b) => a - b)
  const first = Math.log(ticks[0] ?? 1)
  const span = Math.log(ticks.at(-1) ?? 1) - first
  return {
    ticks,
    place: value => (span === 0 ? length / 2 : ((Math.log(value) - first) / span) * length)
  }
}

/** A value as an axis names it: whole numbers exactly, small ones with three digits. */
export function showTick(value: number): string {
  if (value >= 100) return value.toLocaleString('en-US', { maximumFractionDigits: 0 })
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 })
}
