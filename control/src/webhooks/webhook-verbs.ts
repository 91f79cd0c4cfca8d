import { Fault } from '@gantry/kernel'
import type { Caller, WebhookId } from '@gantry/model'
import type { Deps } from '../deps.ts'
import { checkTypes } from '../events/change-feed.ts'
import type { Delivery, Webhook } from '../ports/change-table.ts'
import { projectLock, type Tables } from '../ports/store.ts'
import { requireAdminFor } from '../usecases/find-container.ts'
import { attempt } from './attempt.ts'
import { secretOf } from './message.ts'

export interface NewWebhook {
  /** undefined: the host of its URL. */
  readonly name?: string
  readonly url: string
  readonly types?: readonly string[]
}

export type WebhookPatch = Partial<NewWebhook> & { readonly enabled?: boolean }

export interface WebhookVerbs {
  /** The secret is told here and never again. */
  create(caller: Caller, input: NewWebhook): Promise<{ webhook: Webhook; secret: string }>
  list(caller: Caller, options?: { readonly allProjects?: boolean }): Promise<Webhook[]>
  get(caller: Caller, ref: string): Promise<Webhook>
  /** `enabled: true` also tries at once what failed before. */
  update(caller: Caller, ref: string, change: WebhookPatch): Promise<Webhook>
  delete(caller: Caller, ref: string): Promise<void>
  /** Sends a `webhook.test` now, once, and tells how it went. */
  test(caller: Caller, ref: string): Promise<Delivery>
  /** The last attempts, newest first. */
  deliveries(caller: Caller, ref: string): Promise<Delivery[]>
}

const mostWebhooks = 20
const shownDeliveries = 100
const secretBytes = 32

export function webhookVerbs(deps: Deps): WebhookVerbs {
  const { store, secrets, clock, ids } = deps
  return {
    async create(caller, { name, url, types = [] }) {
      checkUrl(url)
      checkTypes(types)
      const secret = secretOf(ids.hex(secretBytes))
      const now = clock.now()
      const webhook: Webhook = {
        id: ids.uuid() as WebhookId,
        projectId: caller.projectId,
        userId: caller.userId,
        name: name ?? new URL(url).host,
        url,
        sealedSecret: secrets.seal(secret),
        types,
        enabled: true,
        disabledReason: null,
        cursor: await store.changes.end(),
        failures: 0,
        failingSince: null,
        nextAt: 0,
        createdAt: now,
        updatedAt: now,
      }
      await store.transaction(
        async ({ webhooks }) => {
          const used = await webhooks.countOf(caller.projectId)
          if (used >= mostWebhooks) {
            throw new Fault('quota.exceeded', { resource: 'webhooks', used, limit: mostWebhooks, asked: 1 })
          }
          await webhooks.insert(webhook)
        },
        [projectLock(caller.projectId)],
      )
      return { webhook, secret }
    },
    async list(caller, { allProjects = false } = {}) {
      requireAdminFor(caller, allProjects, 'Listing all projects')
      return store.webhooks.list(allProjects ? null : caller.projectId)
    },
    get: (caller, ref) => find(store, caller, ref),
    update: (caller, ref, change) =>
      store.transaction(
        async (tables) => {
          const webhook = await find(tables, caller, ref)
          const changed = { ...changesOf(change), updatedAt: clock.now() }
          await tables.webhooks.update(webhook.id, changed)
          return { ...webhook, ...changed }
        },
        [projectLock(caller.projectId)],
      ),
    delete: (caller, ref) =>
      store.transaction(
        async (tables) => {
          await tables.webhooks.remove((await find(tables, caller, ref)).id)
        },
        [projectLock(caller.projectId)],
      ),
    async test(caller, ref) {
      const webhook = await find(store, caller, ref)
      const at = clock.now()
      const { userId, requestId } = caller
      const { projectId, id: objectId } = webhook
      const test = { userId, requestId, projectId, objectId, at, number: 0, type: 'webhook.test', data: {} }
      const { delivery } = await attempt(deps, webhook, test, 1, AbortSignal.timeout(testTimeoutMs))
      await store.webhooks.noteDelivery(delivery)
      return delivery
    },
    async deliveries(caller, ref) {
      return store.webhooks.deliveries((await find(store, caller, ref)).id, shownDeliveries)
    },
  }
}

const testTimeoutMs = 10_000

function changesOf({ url, types, name, enabled }: WebhookPatch) {
  if (url !== undefined) checkUrl(url)
  if (types !== undefined) checkTypes(types)
  const anew = { enabled: true, disabledReason: null, failures: 0, failingSince: null, nextAt: 0 }
  return {
    ...(name !== undefined && { name }),
    ...(url !== undefined && { url, failures: 0, failingSince: null, nextAt: 0 }),
    ...(types !== undefined && { types }),
    ...(enabled === true && anew),
    ...(enabled === false && { enabled: false, disabledReason: 'its owner disabled it' }),
  }
}

async function find(tables: Pick<Tables, 'webhooks'>, caller: Caller, ref: string): Promise<Webhook> {
  const own = await tables.webhooks.find(caller.projectId, ref)
  const others = own.length > 0 || !caller.isAdmin ? [] : await tables.webhooks.find(null, ref)
  const [first, second] = own.length > 0 ? own : others.filter(({ id }) => id === ref)
  if (!first) throw new Fault('webhook.not-found', { ref })
  if (second) throw new Fault('webhook.ambiguous', { name: ref })
  return first
}

/** Where it leads is judged when it is connected to; this is for mistakes. */
function checkUrl(text: string): void {
  const problem = problemOf(text)
  if (problem !== null) throw new Fault('request.invalid', { problem: `The URL of a webhook ${problem}.` })
}

function problemOf(text: string): string | null {
  if (!URL.canParse(text)) return 'must be a whole URL, as https://example.org/hook'
  const { protocol, username, password, hostname, hash } = new URL(text)
  if (username !== '' || password !== '') return 'must not hold a name or password; receivers check the signature'
  if (hash !== '') return 'has no use for a fragment'
  if (protocol === 'https:') return null
  if (protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)) return null
  return 'must begin with https://'
}
