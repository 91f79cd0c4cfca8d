import { randomUUID } from 'node:crypto'
import type { Cursor, Delivery, Webhook, WebhookVerbs } from '@gantry/control'
import type { WebhookId } from '@gantry/model'
import { Shelf } from './shelf.ts'

/** Webhooks in memory, whose receivers take everything. */
export function fakeWebhooks(): WebhookVerbs {
  const shelf = new Shelf<Webhook>('webhook', 'webhook.not-found', ({ name }) => [name])
  const delivered = (webhookId: WebhookId): Delivery => {
    return {
      webhookId,
      number: 0,
      type: 'webhook.test',
      at: 0,
      attempt: 1,
      status: 204,
      milliseconds: 1,
      problem: null,
    }
  }
  return {
    async create({ projectId, userId }, { name, url, types = [] }) {
      const now = Date.now()
      const webhook = shelf.add({
        id: randomUUID() as WebhookId,
        projectId,
        userId,
        name: name ?? url,
        url,
        sealedSecret: 'sealed',
        types,
        enabled: true,
        disabledReason: null,
        cursor: '' as Cursor,
        failures: 0,
        failingSince: null,
        nextAt: 0,
        createdAt: now,
        updatedAt: now,
      })
      return { webhook, secret: 'whsec_fake' }
    },
    list: async (caller, { allProjects = false } = {}) => shelf.list(caller, allProjects),
    get: async (caller, ref) => shelf.find(caller, ref),
    update: async (caller, ref, change) => shelf.change(caller, ref, change),
    delete: async (caller, ref) => void shelf.remove(caller, ref),
    test: async (caller, ref) => delivered(shelf.find(caller, ref).id),
    deliveries: async (caller, ref) => [delivered(shelf.find(caller, ref).id)],
  }
}
