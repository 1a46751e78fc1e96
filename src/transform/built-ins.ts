// The handlers that come with heliostat, by name. Each checks its arguments when it is made.

import type { HandlerModule } from './record.ts'

export const builtIns: Readonly<Record<string, (args: unknown) => HandlerModule>> = {}
