import { Readable } from 'node:stream'
import type { UpstreamLogin } from '@gantry/control'
import { request } from 'undici'
import { faultOf, type RegistryAnswer, refusalOf } from './answers.ts'
import { parseChallenges } from './challenge.ts'
import type { GuardedAgent } from './guarded-agent.ts'
import type { Origins } from './registry-origin.ts'
import type { Authorizations, Right } from './token-service.ts'

export interface RegistryRequest {
  readonly domain: string
  readonly login: UpstreamLogin | null
  /** What a token must allow; null: only to be known. */
  readonly scope: string | null
  /** The login is shown again, even if the registry was content with it before. */
  readonly isFresh?: boolean
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT'
  /** From the root of the registry, or a whole address that it named. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** Asked for again when the registry wants to know who is there first. */
  readonly body?: () => Promise<Readable | Buffer>
  /** How long the registry may think once it has everything. Milliseconds. */
  readonly answerWithinMs?: number
}

export interface RegistryClient {
  /** The answer of any status, with who was asked. Its body must be read or destroyed. Throws what `Upstream` does. */
  ask(asked: RegistryRequest, signal: AbortSignal): Promise<{ readonly answer: RegistryAnswer; readonly url: URL }>
  /** The fault that an answer stands for. */
  refusal(asked: RegistryRequest, answered: { readonly answer: RegistryAnswer; readonly url: URL }): Promise<Error>
}

export interface ClientParts {
  readonly agent: GuardedAgent
  readonly origins: Origins
  readonly authorizations: Authorizations
  readonly userAgent: string
}

/** Carries requests to registries and logs in where one asks for it. */
export function registryClient({ agent, origins, authorizations, userAgent }: ClientParts): RegistryClient {
  return {
    async ask(asked, signal) {
      const origin = await origins.of(asked.domain, signal)
      const url = new URL(asked.path, origin)
      const right: Right = { origin, scope: asked.scope, login: asked.login }
      // Uploads may lead to a store of somebody else, who is not to know the registry's tokens.
      if (url.origin !== origin) return { answer: await send(asked, url, null, signal), url }
      const known = asked.isFresh ? undefined : authorizations.known(right)
      const answer = await send(asked, url, known ?? null, signal)
      if (answer.statusCode !== 401) return { answer, url }
      authorizations.forget(right)
      const challenges = parseChallenges(answer.headers['www-authenticate'])
      const authorization = await authorizations.obtain(right, challenges, signal)
      if (authorization === null) return { answer, url }
      await answer.body.dump().catch(() => undefined)
      return { answer: await send(asked, url, authorization, signal), url }
    },
    refusal: ({ login }, { answer, url }) => refusalOf(url.host, answer, login !== null),
  }

  async function send(asked: RegistryRequest, url: URL, authorization: string | null, signal: AbortSignal) {
    const { method = 'GET', headers = {}, answerWithinMs } = asked
    const body = (await asked.body?.()) ?? null
    const own: { error: Error | null } = { error: null }
    if (body instanceof Readable) body.once('error', (error) => (own.error = error))
    try {
      return await request(url, {
        dispatcher: method === 'GET' || method === 'HEAD' ? agent.reading : agent.writing,
        method,
        headers: { 'user-agent': userAgent, ...headers, ...(authorization === null ? {} : { authorization }) },
        body,
        signal,
        ...(answerWithinMs === undefined ? {} : { headersTimeout: answerWithinMs }),
      })
    } catch (error) {
      // What was to be sent could not be read: that is not the registry's fault.
      if (own.error === error) throw error
      throw faultOf(url.host, error, signal)
    }
  }
}
