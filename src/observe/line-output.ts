// Writes lines to a file descriptor at once, and outlives whoever reads them.

import { writeSync } from 'node:fs'
import { isatty } from 'node:tty'

export interface LineOutput {
  /** Never throws: the log is not worth the mirror. */
  write(line: string): void
}

export interface LineOutputOptions {
  descriptor: number
  /** Called once, when the reader has gone for good: its end of a pipe, or the terminal. */
  onGone: (code: string) => void
  /** Called when writing works again after lines were lost, as on a full disk. */
  onRecovered: (lost: number) => void
}

// A pipe that does not block says when it is full. Its reader gets this long, then the line is lost:
// commits and heartbeats wait behind it.
const waitMs = 10
const mostWaits = 100

export function openLineOutput({ descriptor, onGone, onRecovered }: LineOutputOptions): LineOutput {
  const isTerminal = isatty(descriptor)
  let isGone = false
  let lost = 0
  return {
    write(line) {
      if (isGone) return
      const code = writeWhole(descriptor, Buffer.from(line))
      if (code === undefined) {
        if (lost === 0) return
        const count = lost
        lost = 0
        onRecovered(count)
      } else if (isGoneForGood(code, isTerminal)) {
        isGone = true
        onGone(code)
      } else {
        lost++
      }
    }
  }
}

/** Other failures, such as a full disk, may pass. */
export function isGoneForGood(code: string, isTerminal: boolean): boolean {
  return code === 'EPIPE' || code === 'ECONNRESET' || (code === 'EIO' && isTerminal)
}

/** Returns the code of what went wrong. */
function writeWhole(descriptor: number, bytes: Buffer): string | undefined {
  let waits = 0
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(descriptor, bytes, at)
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? String(error)
      if (code !== 'EAGAIN' || ++waits > mostWaits) return code
      pause(waitMs)
    }
  }
  return undefined
}

const clock = new Int32Array(new SharedArrayBuffer(4))

function pause(ms: number): void {
  Atomics.wait(clock, 0, 0, ms)
}
