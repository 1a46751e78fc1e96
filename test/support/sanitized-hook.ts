// Loaded before a process's own files, in its worker threads too: what asks for the addon gets the sanitized one.

import Module from 'node:module'

interface Resolver {
  _resolveFilename(request: string, ...rest: unknown[]): string
}

const resolver = Module as unknown as Resolver
const resolve = resolver._resolveFilename

resolver._resolveFilename = (request, ...rest) =>
  request === '#addon'
    ? (process.env.SANITIZED_ADDON as string)
    : resolve.call(Module, request, ...rest)
