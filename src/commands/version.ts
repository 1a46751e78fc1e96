// `heliostat version`: what is installed, and with --verbose what it can do.

import { packageVersion } from '../observe/package-version.ts'

export async function version(isVerbose: boolean): Promise<number> {
  if (!isVerbose) {
    console.log(packageVersion)
    return 0
  }
  // The plain version shall show even where the addon does not load.
  const { nativeVersion } = await import('../native/index.ts')
  const native = nativeVersion()
  console.log(`heliostat   ${packageVersion}`)
  console.log(`librdkafka  ${native.librdkafka}`)
  console.log(`features    ${[...native.features].sort().join(' ')}`)
  console.log(`node        ${process.versions.node} (${process.platform}-${process.arch})`)
  return 0
}
