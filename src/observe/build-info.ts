// What is running: versions and features, for the log, `version --verbose` and the metrics.

import type { NativeVersion } from '../native/index.ts'
import { packageVersion } from './package-version.ts'

export type BuildInfo = Readonly<Record<'version' | 'node' | 'librdkafka' | 'features', string>>

export function describeBuild(native: NativeVersion): BuildInfo {
  return {
    version: packageVersion,
    node: process.versions.node,
    librdkafka: native.librdkafka,
    features: [...native.features].sort().join(',')
  }
}
