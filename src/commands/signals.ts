// Signals of a run: the first asks it to drain, the second ends the process at once.

import { constants } from 'node:os'
import { exitAtOnce } from '../native/index.ts'
import type { Logger } from '../observe/log.ts'

export interface StopSignals {
  stop: AbortSignal
  close(): void
}

export function stopOnSignals(logger: Logger, beforeExit: () => void): StopSignals {
  const controller = new AbortController()
  const onSignal = (signal: 'SIGTERM' | 'SIGINT') => {
    if (controller.signal.aborted) {
      logger.fatal({ signal }, 'second signal: ending at once')
      beforeExit()
      exitAtOnce(128 + constants.signals[signal])
    }
    logger.info({ signal }, 'draining; a second signal ends at once')
    controller.abort(signal)
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  return {
    stop: controller.signal,
    close() {
      process.off('SIGTERM', onSignal)
      process.off('SIGINT', onSignal)
    }
  }
}
