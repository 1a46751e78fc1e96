// Lets so many in at a time; the others wait for their turn.

export interface Gate {
  /** Gives what is to be called on the way out. */
  enter(): Promise<() => void>
}

export const openGate: Gate = { enter: async () => () => undefined }

export function narrowGate(places: number): Gate {
  const waiting: (() => void)[] = []
  let free = places
  const leave = () => {
    const next = waiting.shift()
    if (next) next()
    else free++
  }
  return {
    enter: async () => {
      if (free > 0) free--
      else await new Promise<void>(resolve => waiting.push(resolve))
      return leave
    }
  }
}
