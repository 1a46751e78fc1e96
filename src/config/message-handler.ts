// Says why a message handler of MirrorMaker is refused.

// A path has a slash or the extension of a module; everything else that has dots is a Java class.
const modulePath = /[/\\]|\.(?:[cm]?js|[cm]?ts)$/

export function refuseHandler(value: string): string {
  const instead =
    'Leave it out to mirror records as they are; topics that need it stay with MirrorMaker until then'
  if (modulePath.test(value)) {
    return `handlers are not there yet, so the module "${value}" would not be called. ${instead}`
  }
  const what = value === '' ? 'a Java class' : `the Java class ${value}`
  return `${what} cannot run here: a handler will be an ES module, and those are not there yet. ${instead}`
}

export function refuseHandlerArguments(): string {
  return 'it belongs to --message.handler, which is refused. Remove both'
}
