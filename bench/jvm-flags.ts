// Owns the JVM settings of the Java mirrors: those of Kafka's start scripts, with MirrorMaker 2's heap for both.

export const mirrorJvm = [
  '-Xms256M',
  '-Xmx2G',
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent'
]
