// Loads the native addon, which each thread does for itself.

import { createRequire } from 'node:module'

/** Of what it exports, `Addon` is what the caller needs. */
export function loadAddon<Addon>(): Addon {
  try {
    return createRequire(import.meta.url)('#addon') as Addon
  } catch (cause) {
    throw new Error(
      `the native addon could not be loaded on ${process.platform}-${process.arch} ` +
        `(Node ${process.versions.node}) from build/Release/heliostat.node; build it with: npm run build:native`,
      { cause }
    )
  }
}
