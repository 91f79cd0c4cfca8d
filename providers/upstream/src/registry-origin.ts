import { Fault } from '@gantry/kernel'
import { type Dispatcher, request } from 'undici'
import { faultOf } from './answers.ts'
import { isHub } from './hub-names.ts'

const validDomain = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?$/
/** What speaks no TLS answers a TLS greeting with something else, or hangs up. */
const noTls = /^(EPROTO|ERR_SSL_.*|ECONNRESET|UND_ERR_SOCKET)$/
const mostRemembered = 256

export interface Origins {
  /** `https://registry-1.docker.io`. Throws `request.invalid`, `registry.unreachable`, `registry.refused`. */
  of(domain: string, signal: AbortSignal): Promise<string>
}

/** Finds whether an insecure registry speaks TLS, as engines do: by trying; remembers what it found. */
export function registryOrigins(agent: Dispatcher, isInsecure: (domain: string) => boolean): Origins {
  const found = new Map<string, string>()
  return {
    async of(domain, signal) {
      if (isHub(domain)) return 'https://registry-1.docker.io'
      if (!validDomain.test(domain) || !URL.canParse(`https://${domain}`)) {
        throw new Fault('request.invalid', {
          problem: `${JSON.stringify(domain.slice(0, 200))} is no registry's name.`,
        })
      }
      const { origin } = new URL(`https://${domain}`)
      if (!isInsecure(domain)) return origin
      const known = found.get(domain) ?? (await probe(origin, domain, signal))
      for (const oldest of found.keys()) {
        if (found.size < mostRemembered) break
        found.delete(oldest)
      }
      found.set(domain, known)
      return known
    },
  }

  async function probe(origin: string, domain: string, signal: AbortSignal): Promise<string> {
    try {
      const { body } = await request(`${origin}/v2/`, { dispatcher: agent, signal })
      await body.dump()
      return origin
    } catch (error) {
      const code = (error as { readonly code?: unknown }).code
      if (typeof code === 'string' && noTls.test(code) && !signal.aborted) return new URL(`http://${domain}`).origin
      throw faultOf(domain, error, signal)
    }
  }
}
