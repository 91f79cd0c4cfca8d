import type { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import type { DockerContext } from './context.ts'

/** Ends a long answer when the credential that it was asked with is revoked. The returned function lets go of it. */
export function guarded(docker: DockerContext, request: FastifyRequest, output: Readable): () => void {
  const release = docker.guard.watch(docker.identityOf(request), (reason) => output.destroy(reason))
  output.once('close', release)
  return release
}
