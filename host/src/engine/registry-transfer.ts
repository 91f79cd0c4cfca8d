import { EngineError } from './engine-error.ts'
import type { EngineTransport } from './engine-transport.ts'
import { jsonLines } from './line-reader.ts'
import { silenceGuard } from './silence-guard.ts'

/** An image at a registry, which the engine reaches without TLS on its own loopback. */
export interface RegistryImage {
  /** With the registry's address. */
  readonly repo: string
  /** A tag, or a digest. */
  readonly reference: string
  readonly username: string
  readonly password: string
}

/** Rejects with `EngineError` when the registry refuses, or says nothing for too long (status 504). */
export interface RegistryTransfer {
  pull(image: RegistryImage, signal: AbortSignal): Promise<void>
  /** The engine has it under that name already. */
  push(image: RegistryImage, signal: AbortSignal): Promise<void>
}

/** Once an engine has begun, a pause may be longer: a large layer is unpacked. */
const silentBeforeMs = 60_000
const silentWithinMs = 300_000

export function registryTransfer(transport: EngineTransport): RegistryTransfer {
  const transfer = async (image: RegistryImage, signal: AbortSignal, request: Request, patienceMs: number) => {
    using guard = silenceGuard(patienceMs, signal)
    const headers = { 'x-registry-auth': loginOf(image) }
    try {
      const answer = transport.stream({ method: 'POST', ...request, headers, answerWithinMs: 0, signal: guard.signal })
      // Status 200 comes before the outcome is known: only the lines tell.
      for await (const line of jsonLines((await answer).body)) {
        guard.heard(silentWithinMs)
        const problem = errorIn(line)
        if (problem !== null) throw new EngineError(500, problem)
      }
    } catch (error) {
      if (guard.expired) throw new EngineError(504, 'the registry does not answer')
      throw error
    }
  }
  return {
    async pull(image, signal) {
      const { repo, reference } = image
      // Podman's compatible API takes no registry without TLS.
      const request: Request = (await transport.isPodman())
        ? { api: 'libpod', path: '/images/pull', query: { reference: nameOf(image), tlsVerify: false } }
        : { path: '/images/create', query: { fromImage: repo, tag: reference } }
      await transfer(image, signal, request, silentBeforeMs)
    },
    async push(image, signal) {
      const { repo, reference } = image
      const path = (name: string) => `/images/${name.split('/').map(encodeURIComponent).join('/')}/push`
      const name = nameOf(image)
      const podman = await transport.isPodman()
      const request: Request = podman
        ? { api: 'libpod', path: path(name), query: { destination: name, tlsVerify: false } }
        : { path: path(repo), query: { tag: reference } }
      // Podman says nothing until it is done.
      await transfer(image, signal, request, podman ? hourMs : silentBeforeMs)
    },
  }
}

const hourMs = 3_600_000

type Request = Pick<Parameters<EngineTransport['stream']>[0], 'api' | 'path' | 'query'>

function nameOf({ repo, reference }: RegistryImage): string {
  return reference.includes(':') ? `${repo}@${reference}` : `${repo}:${reference}`
}

/** Engines take the URL-safe alphabet, with padding. */
function loginOf({ repo, username, password }: RegistryImage): string {
  const serveraddress = repo.slice(0, repo.indexOf('/'))
  const text = JSON.stringify({ username, password, serveraddress })
  return Buffer.from(text).toString('base64').replaceAll('+', '-').replaceAll('/', '_')
}

function errorIn(line: unknown): string | null {
  if (typeof line !== 'object' || line === null || !('error' in line)) return null
  return typeof line.error === 'string' && line.error !== '' ? line.error : null
}
