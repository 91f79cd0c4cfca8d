import type { Upstream, UpstreamLogin } from '@gantry/control'
import { searchIndex } from './hub-search.ts'
import type { OpenClient, UpstreamOptions } from './open-client.ts'
import { hasBlob, readBlob, readManifest } from './reading.ts'
import type { RegistryClient } from './registry-client.ts'
import { writeBlob, writeManifest } from './writing.ts'

export interface RunningUpstream extends Upstream {
  /** Lets go of all connections; what is under way fails. */
  close(): Promise<void>
}

/** Speaks OCI distribution to other registries: their logins, redirects and moods. */
export function createUpstream(options: UpstreamOptions): RunningUpstream {
  // A server that never asks another registry is spared the 13 MiB of the HTTP client.
  let opened: Promise<OpenClient> | null = null
  const client = async () => {
    opened ??= import('./open-client.ts').then(({ openClient }) => openClient(options))
    return (await opened).client
  }
  return {
    manifest: async (repository, reference, login, signal) =>
      readManifest(await client(), repository, reference, login, signal),
    blob: async (repository, digest, login, signal) => readBlob(await client(), repository, digest, login, signal),
    hasBlob: async (repository, digest, login, signal) => hasBlob(await client(), repository, digest, login, signal),
    putBlob: async (repository, blob, login, signal) => writeBlob(await client(), repository, blob, login, signal),
    putManifest: async (repository, reference, manifest, login, signal) =>
      writeManifest(await client(), repository, reference, manifest, login, signal),
    logIn: async (domain, login, signal) => logIn(await client(), domain, login, signal),
    search: async (domain, term, limit, signal) => searchIndex(await client(), domain, term, limit, signal),
    close: async () => (await opened)?.close(),
  }
}

async function logIn(client: RegistryClient, domain: string, login: UpstreamLogin, signal: AbortSignal) {
  const asked = { domain, login, scope: null, isFresh: true, path: '/v2/' }
  const answered = await client.ask(asked, signal)
  if (answered.answer.statusCode !== 200) throw await client.refusal(asked, answered)
  await answered.answer.body.dump()
  return 'Login Succeeded'
}
