// One sentence for each setting of a file whose rule does more than its name says: for CONFIGURATION.md.

/** By name. A rule that says all of it in its own note, range or other name needs none. */
export const settingNotes: Readonly<Record<string, string>> = {
  'client.id':
    'without it a source is called after its group, as with MirrorMaker, so that quotas stay',
  'client.rack': 'fetches go to the nearest replica where the brokers choose by rack',
  'source.cluster.alias':
    'name of the source in logs, metrics and the report; source, source2, … without it',
  'target.cluster.alias': 'name of the target in logs, metrics and the report',
  'metadata.max.age.ms': "sets librdkafka's topic.metadata.refresh.interval.ms, Java's meaning",
  'retry.backoff.ms': '0 is read as 1',
  'retry.backoff.max.ms': '0 is read as 1',
  'connections.max.idle.ms': '-1 is read as 0, never',
  'request.timeout.ms':
    'the time limit of a fetch or a produce request; one that runs out is sent again, never dropped',
  'default.api.timeout.ms': 'the time limit of looking at and creating topics',
  'socket.send.buffer.bytes': '-1 is read as 0, left to the system',
  'socket.receive.buffer.bytes': '-1 is read as 0, left to the system',
  'topic.metadata.refresh.interval.ms': 'how often clients look at the topics again',
  'enable.metrics.push': 'always false',
  'config.providers':
    'file, directory and env providers are resolved as Kafka does; any other is refused',
  'config.providers.*': 'the class of a provider, and its limits',
  'group.id': 'required at a source; the offsets that MirrorMaker committed under it are used',
  'group.instance.id': 'a static member: a restart within the session moves nothing',
  'group.protocol':
    'with consumer the brokers decide session and heartbeat, and settings for them are left out',
  'partition.assignment.strategy':
    "always cooperative-sticky; a class that is not Kafka's is refused",
  'auto.offset.reset':
    'where a partition without a committed offset begins, earliest when not set; none does not start it',
  'enable.auto.commit': 'always false: only checkpoints are committed',
  'auto.commit.interval.ms': 'the same as --offset.commit.interval.ms, which is stronger',
  'isolation.level': 'read_committed when not set; --isolation is stronger',
  'check.crcs':
    'no effect: the target checks each batch, as its CRC is patched and never made anew',
  'fetch.min.bytes': '0 is read as 1',
  'fetch.max.bytes': 'at most the byte budget; 52428800 when not set',
  'max.partition.fetch.bytes':
    '4194304 when not set; 1048576 at most of a source that answers within 20 ms',
  'fetch.wait.max.ms': '500 when not set',
  'exclude.internal.topics': "always true: Kafka's own topics are never mirrored",
  'allow.auto.create.topics': 'always false: a mirror creates no topics at its source',
  'queued.max.messages.kbytes': 'the byte budget, when the target has no buffer.memory',
  'queued.min.messages': 'the same as --queue.size, which is stronger',
  'queue.buffering.max.messages': 'the same as --queue.size, which is stronger',
  'shallowiterator.enable': 'always true: batches are passed through compressed',
  'offsets.storage': 'zookeeper is refused: offsets kept there are not read',
  acks: 'always all; 0 and 1 are raised',
  'enable.idempotence': 'true when not set',
  'max.in.flight.requests.per.connection': 'batches in flight a partition, 5 when not set',
  'buffer.memory': 'the byte budget; 134217728 or more suits a fast link',
  'max.request.size':
    'largest produce request, 1048576 when not set; one larger batch is still sent alone',
  'batch.size':
    'shapes rebuilt batches only; below 1000 it is refused, as 0.7 counted records by this name',
  'batch.num.messages': 'shapes rebuilt batches only',
  'linger.ms': 'shapes rebuilt batches only; a batch that passes through never waits',
  'compression.type':
    'the codec of rebuilt batches, also none; others keep that of the source. --recompress rebuilds them',
  'compression.gzip.level': 'shapes rebuilt batches only',
  'compression.lz4.level': 'shapes rebuilt batches only; 9, the default, is the fast way',
  'compression.zstd.level': 'shapes rebuilt batches only',
  'compression.level':
    'shapes rebuilt batches only: the level of gzip (at most 9) and zstd, where they have none of their own',
  'compressed.topics':
    'the topics whose rebuilt batches get compression.codec; every topic when empty',
  'partitioner.class': "a class that is not Kafka's is refused",
  'partitioner.ignore.keys': 'true is refused: the partition of a record is kept',
  'security.protocol': 'a password without TLS runs, with a warning at every start',
  'sasl.mechanism': 'PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or GSSAPI',
  'sasl.jaas.config':
    'read apart: PlainLoginModule, ScramLoginModule, Krb5LoginModule and OAuthBearerLoginModule of Kafka',
  'sasl.kerberos.kinit.cmd': 'in the file only; without %{broker.name}',
  'sasl.login.callback.handler.class':
    "Kafka's OAuthBearerLoginCallbackHandler is read as sasl.oauthbearer.method=oidc; others are refused",
  'sasl.oauthbearer.token.endpoint.url': 'https, as secrets go there',
  'sasl.oauthbearer.jwt.retriever.class':
    "Kafka's retrievers set sasl.oauthbearer.grant.type; others are refused",
  'sasl.oauthbearer.jwt.validator.class': "a class that is not Kafka's is refused",
  'ssl.truststore.location': 'PEM, PKCS12 or JKS, told by its first bytes',
  'ssl.truststore.type': 'the content decides',
  'ssl.truststore.password': 'opens a PKCS12 or JKS store',
  'ssl.keystore.location': 'PEM, PKCS12 or JKS, told by its first bytes',
  'ssl.keystore.type': 'the content decides',
  'ssl.keystore.password': 'opens a PKCS12 or JKS store',
  'ssl.endpoint.identification.algorithm':
    'empty or none: host names are not checked, with a warning at every start',
  'enable.ssl.certificate.verification': 'false needs insecure=true too',
  insecure: 'allows that certificates of this cluster are not checked',
  'ssl.cipher.suites': "IANA's names or OpenSSL's; one without a match is refused",
  'ssl.enabled.protocols': 'what OpenSSL offers is used'
}
