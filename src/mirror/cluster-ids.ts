// Which clusters the links of this process have reached: none may feed itself, and none be mirrored twice.

import { ConfigError } from '../errors.ts'

export class ClusterIds {
  /** Ids of the sources, and what they are called. */
  readonly #sources = new Map<string, string>()

  /** Throws a ConfigError that says what would happen. An empty id is not known and passes. */
  add(alias: string, sourceId: string, targetId: string): void {
    if (sourceId === '') return
    // Topics keep their names, so one cluster on both sides would feed itself.
    if (sourceId === targetId) {
      throw new ConfigError(
        `source "${alias}" and the target are the same cluster (${sourceId}): each record would be mirrored ` +
          'onto its own topic, again and again. Set bootstrap.servers of another cluster on one side'
      )
    }
    const other = this.#sources.get(sourceId)
    if (other !== undefined) {
      throw new ConfigError(
        `sources "${other}" and "${alias}" are the same cluster (${sourceId}): each record would be mirrored ` +
          'twice. Give its consumer file once; --num.streams makes more connections to it'
      )
    }
    this.#sources.set(sourceId, alias)
  }
}
