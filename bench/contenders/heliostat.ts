// heliostat itself, with default settings, as its user starts it.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../test/support/kafka-jars.ts'
import type { Contender } from '../contender.ts'
import { writeProperties } from '../properties-file.ts'
import { tlsSettings } from '../tls-settings.ts'

export const executable = join(projectRoot(), 'bin', 'heliostat')

export const heliostat: Contender = {
  says: 'heliostat run --until-caught-up, default settings',
  endsByItself: true,
  async missing() {
    return existsSync(executable) ? undefined : `${executable} is not there`
  },
  async command({ source, sourceCa, target, targetCa, topic, streams, group, folder }) {
    const consumer = await writeProperties(folder, 'source.properties', {
      'bootstrap.servers': source,
      ...tlsSettings(sourceCa),
      'group.id': group,
      'auto.offset.reset': 'earliest'
    })
    const producer = await writeProperties(folder, 'target.properties', {
      'bootstrap.servers': target,
      ...tlsSettings(targetCa)
    })
    return [
      process.execPath,
      executable,
      'run',
      '--consumer.config',
      consumer,
      '--producer.config',
      producer,
      '--whitelist',
      topic,
      ...(streams === undefined
        ? []
        : ['--num.streams', `${streams}`, '--num.producers', `${streams}`]),
      '--until-caught-up',
      '--report',
      join(folder, 'report.json'),
      '--http',
      'off'
    ]
  }
}
