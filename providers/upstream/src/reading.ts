import { createHash } from 'node:crypto'
import { PassThrough, pipeline, type Readable } from 'node:stream'
import type { UpstreamLogin, UpstreamManifest, UpstreamRepository } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import { type Digest, digestAlgorithm, parseDigest } from '@gantry/model'
import { faultOf, inTime, jsonOf, readSmall } from './answers.ts'
import type { RegistryClient } from './registry-client.ts'
import { nameOf } from './hub-names.ts'
import { pathOf, scopeOf } from './repository-path.ts'

const mostManifestBytes = 4 * 1024 * 1024
/** For the whole of a manifest, so that one that trickles ends too. */
const manifestTimeoutMs = 60_000

const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]

export async function readManifest(
  client: RegistryClient,
  repository: UpstreamRepository,
  reference: string,
  login: UpstreamLogin | null,
  signal: AbortSignal,
): Promise<UpstreamManifest> {
  const asked = {
    domain: repository.domain,
    login,
    scope: scopeOf(repository, 'pull'),
    path: pathOf(repository, 'manifests', reference),
    headers: { accept: manifestTypes.join(', ') },
  }
  return inTime(nameOf(repository.domain), manifestTimeoutMs, signal, async (within) => {
    const answered = await client.ask(asked, within)
    const { answer, url } = answered
    if (answer.statusCode !== 200) throw await client.refusal(asked, answered)
    const content = await readSmall(answer.body, mostManifestBytes)
    if (content === null) {
      throw refused(`The manifest that ${url.host} gave is larger than ${mostManifestBytes} bytes.`)
    }
    const told = answer.headers['docker-content-digest']
    const expected = parseDigest(reference) ?? parseDigest(typeof told === 'string' ? told : '')
    const digest = digestOf(content, expected)
    if (expected !== null && digest !== expected) {
      throw refused(`The manifest that ${url.host} gave as ${expected} is ${digest}.`)
    }
    return { mediaType: mediaTypeOf(answer.headers['content-type'], content), digest, content }
  })
}

export async function readBlob(
  client: RegistryClient,
  repository: UpstreamRepository,
  digest: Digest,
  login: UpstreamLogin | null,
  signal: AbortSignal,
): Promise<{ readonly size: number | null; readonly body: Readable }> {
  const path = pathOf(repository, 'blobs', digest)
  const asked = { domain: repository.domain, login, scope: scopeOf(repository, 'pull'), path }
  const answered = await client.ask(asked, signal)
  const { answer, url } = answered
  if (answer.statusCode !== 200) throw await client.refusal(asked, answered)
  const size = Number(answer.headers['content-length'] ?? Number.NaN)
  const body = new PassThrough()
  // Before the pipeline hears of it, so that whoever reads gets a fault.
  answer.body.once('error', (error) => {
    const fault = faultOf(url.host, error, signal)
    body.destroy(fault instanceof Error ? fault : new Error('aborted'))
  })
  pipeline(answer.body, body, () => undefined)
  return { size: Number.isSafeInteger(size) ? size : null, body }
}

export async function hasBlob(
  client: RegistryClient,
  repository: UpstreamRepository,
  digest: Digest,
  login: UpstreamLogin | null,
  signal: AbortSignal,
): Promise<boolean> {
  const asked = {
    domain: repository.domain,
    login,
    // Only asked before a push, so that one token does for both.
    scope: scopeOf(repository, 'pull,push'),
    method: 'HEAD',
    path: pathOf(repository, 'blobs', digest),
  } as const
  const answered = await client.ask(asked, signal)
  const { statusCode, body } = answered.answer
  if (statusCode !== 200 && statusCode !== 404) throw await client.refusal(asked, answered)
  await body.dump()
  return statusCode === 200
}

function digestOf(content: Buffer, like: Digest | null): Digest {
  const algorithm = like ? digestAlgorithm(like) : 'sha256'
  return `${algorithm}:${createHash(algorithm).update(content).digest('hex')}` as Digest
}

/** Registries that serve files know no types; the manifest does. */
function mediaTypeOf(header: string | string[] | undefined, content: Buffer): string {
  const type = (typeof header === 'string' ? header : '').split(';')[0]?.trim().toLowerCase() ?? ''
  if (type !== '' && type !== 'application/json' && !type.startsWith('text/') && !type.endsWith('octet-stream')) {
    return type
  }
  const told = jsonOf(content.toString())['mediaType']
  return typeof told === 'string' ? told : type
}

function refused(reason: string): Fault {
  return new Fault('registry.refused', { reason })
}
