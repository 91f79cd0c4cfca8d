import type { WebhookSender } from '@gantry/control'

export interface RunningSender extends WebhookSender {
  close(): Promise<void>
}

export interface SenderOptions {
  /** Whether to connect to this address, which `domain` (`host`, `host:port`) leads to. */
  readonly mayConnect: (address: string, domain: string) => boolean
}

/** What a receiver answers is read so far and no further. */
const longestAnswer = 64 * 1024

/** Sends webhooks by HTTPS to where the rules allow; plain HTTP goes to the loopback interface only. */
export function webhookSender({ mayConnect }: SenderOptions): RunningSender {
  let opened: Promise<Guarded> | null = null
  return {
    async send(url, { headers, body }, signal) {
      opened ??= open(mayConnect)
      const { request, agent } = await opened
      const answer = await request(url, { method: 'POST', headers, body, signal, dispatcher: agent.writing })
      await answer.body.dump({ limit: longestAnswer, signal })
      return { status: answer.statusCode, retryAfterMs: waitOf(answer.headers['retry-after']) }
    },
    close: async () => (await opened)?.agent.close(),
  }
}

/** The HTTP client is large: a server without webhooks is spared it. */
async function open(mayConnect: SenderOptions['mayConnect']) {
  const [{ guardedAgent }, { request }] = await Promise.all([import('./guarded-agent.ts'), import('undici')])
  const isLoopback = (domain: string) => /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/.test(domain)
  return { request, agent: guardedAgent({ mayConnect, isInsecure: isLoopback }) }
}
type Guarded = Awaited<ReturnType<typeof open>>

/** RFC 9110, 10.2.3: only the seconds; a date is rare and tells no more than the usual wait. */
function waitOf(header: string | readonly string[] | undefined): number | null {
  return typeof header === 'string' && /^\d{1,6}$/.test(header) ? Number(header) * 1000 : null
}
