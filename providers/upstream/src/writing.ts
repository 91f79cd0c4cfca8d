import { setTimeout as sleep } from 'node:timers/promises'
import type { Upstream, UpstreamLogin, UpstreamManifest, UpstreamRepository } from '@gantry/control'
import { backoffMs, Fault } from '@gantry/kernel'
import type { RegistryClient, RegistryRequest } from './registry-client.ts'
import { pathOf, scopeOf, uploadsOf } from './repository-path.ts'

type Blob = Parameters<Upstream['putBlob']>[1]

const tries = 4
/** A registry reads a large blob once more before it says yes. */
const finishTimeoutMs = 300_000

/** An upload is begun anew when the connection is lost or the registry asks for patience. */
export async function writeBlob(
  client: RegistryClient,
  repository: UpstreamRepository,
  blob: Blob,
  login: UpstreamLogin | null,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await upload(client, repository, blob, login, signal)
    } catch (error) {
      const isPassing = error instanceof Fault && error.code === 'registry.unreachable'
      if (!isPassing || attempt + 1 === tries || signal.aborted) throw error
      await sleep(backoffMs(attempt, { baseMs: 200, maxMs: 5_000 }), undefined, { signal })
    }
  }
}

async function upload(
  client: RegistryClient,
  repository: UpstreamRepository,
  { digest, size, open }: Blob,
  login: UpstreamLogin | null,
  signal: AbortSignal,
): Promise<void> {
  const who = { domain: repository.domain, login, scope: scopeOf(repository, 'pull,push') }
  const begin: RegistryRequest = { ...who, method: 'POST', path: uploadsOf(repository) }
  const begun = await client.ask(begin, signal)
  if (begun.answer.statusCode !== 202) throw await client.refusal(begin, begun)
  await begun.answer.body.dump()
  const { location } = begun.answer.headers
  if (typeof location !== 'string' || !URL.canParse(location, begun.url.href)) {
    throw new Fault('registry.refused', { reason: `The registry ${begun.url.host} names no place for an upload.` })
  }
  const place = new URL(location, begun.url)
  place.searchParams.append('digest', digest)
  await put(
    client,
    {
      ...who,
      method: 'PUT',
      path: place.href,
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(size) },
      body: open,
      answerWithinMs: finishTimeoutMs,
    },
    signal,
  )
}

export async function writeManifest(
  client: RegistryClient,
  repository: UpstreamRepository,
  reference: string,
  { mediaType, content }: UpstreamManifest,
  login: UpstreamLogin | null,
  signal: AbortSignal,
): Promise<void> {
  await put(
    client,
    {
      domain: repository.domain,
      login,
      scope: scopeOf(repository, 'pull,push'),
      method: 'PUT',
      path: pathOf(repository, 'manifests', reference),
      headers: { 'content-type': mediaType },
      body: async () => content,
      answerWithinMs: finishTimeoutMs,
    },
    signal,
  )
}

async function put(client: RegistryClient, asked: RegistryRequest, signal: AbortSignal): Promise<void> {
  const answered = await client.ask(asked, signal)
  const { statusCode, body } = answered.answer
  if (statusCode < 200 || statusCode >= 300) throw await client.refusal(asked, answered)
  await body.dump()
}
