// Topics that are never mirrored: Kafka's internal ones and the control topics of mirrors.

const kafkaInternal = new Set([
  '__consumer_offsets',
  '__transaction_state',
  '__cluster_metadata',
  '__share_group_state'
])

const controlTopics: readonly { matches: RegExp; why: string }[] = [
  { matches: /^__heliostat/, why: 'control topic of heliostat' },
  { matches: /^(.+\.)?heartbeats$/, why: "MirrorMaker 2's heartbeats" },
  { matches: /\.checkpoints\.internal$/, why: "MirrorMaker 2's checkpoints" },
  { matches: /^mm2-.+\.internal$/, why: 'control topic of MirrorMaker 2' }
]

/** The reason why a topic is left out whatever the patterns say; undefined for ordinary topics. */
export function whyNeverMirrored(topic: string): string | undefined {
  if (kafkaInternal.has(topic)) return 'internal to Kafka'
  return controlTopics.find(row => row.matches.test(topic))?.why
}
