import { callerOf } from '@gantry/http'
import type { Delivery, Webhook } from '@gantry/control'
import { type App, type NativeContext, Ref } from '../context.ts'
import { deleting, operation, showing } from '../operation.ts'
import { AllProjects, isYes, Nothing } from '../query.ts'
import { CreateWebhook, type DeliveryView, PatchWebhook, type WebhookView } from '../schemas-events.ts'
import { isoTime } from '../times.ts'

const tag = 'events'
const webhook = { tag, noun: 'webhook', schema: 'Webhook' }

/** Where a project is told of its changes, by signed requests (Standard Webhooks 1.0.0). */
export function webhookRoutes(app: App, { control }: NativeContext): void {
  const { webhooks } = control
  app.get('/webhooks', { schema: listDoc }, async (request) => {
    const found = await webhooks.list(callerOf(request), { allProjects: isYes(request.query.allProjects) })
    return { webhooks: found.map(toWebhookView) }
  })
  app.post('/webhooks', { schema: createDoc }, async (request, reply) => {
    const { name, url, types } = request.body
    const input = { url, ...(name !== undefined && { name }), ...(types !== undefined && { types }) }
    const { webhook: made, secret } = await webhooks.create(callerOf(request), input)
    return reply
      .code(201)
      .header('location', `/v1/webhooks/${made.id}`)
      .send({ ...toWebhookView(made), secret })
  })
  app.get('/webhooks/:ref', { schema: showing(webhook, Nothing) }, async (request) => {
    return toWebhookView(await webhooks.get(callerOf(request), request.params.ref))
  })
  app.patch('/webhooks/:ref', { schema: changeDoc }, async (request) => {
    const given = Object.entries(request.body).filter(([, value]) => value !== undefined)
    return toWebhookView(await webhooks.update(callerOf(request), request.params.ref, Object.fromEntries(given)))
  })
  app.delete('/webhooks/:ref', { schema: deleting(webhook, Nothing) }, async (request, reply) => {
    await webhooks.delete(callerOf(request), request.params.ref)
    return reply.code(204).send()
  })
  app.post('/webhooks/:ref/test', { schema: testDoc }, async (request) => {
    return toDeliveryView(await webhooks.test(callerOf(request), request.params.ref))
  })
  app.get('/webhooks/:ref/deliveries', { schema: deliveriesDoc }, async (request) => {
    const found = await webhooks.deliveries(callerOf(request), request.params.ref)
    return { deliveries: found.map(toDeliveryView) }
  })
}

function toWebhookView(found: Webhook): WebhookView {
  const { id, name, projectId, url, types, enabled, disabledReason, failures, nextAt, createdAt, updatedAt } = found
  return {
    id,
    name,
    projectId,
    url,
    types: [...types],
    enabled,
    disabledReason,
    failures,
    nextAt: failures > 0 && enabled ? isoTime(nextAt) : null,
    createdAt: isoTime(createdAt),
    updatedAt: isoTime(updatedAt),
  }
}

function toDeliveryView({ webhookId: _webhook, number, at, ...rest }: Delivery): DeliveryView {
  return { event: `evt_${number}`, at: isoTime(at), ...rest }
}

const listDoc = operation({
  operationId: 'listWebhooks',
  summary: 'List webhooks',
  tag,
  querystring: AllProjects,
  answer: { status: 200, description: 'The webhooks.', content: 'WebhookList' },
})
const createDoc = operation({
  operationId: 'createWebhook',
  summary: 'Be told of changes by signed requests, from now on',
  tag,
  body: CreateWebhook,
  answer: { status: 201, description: 'It is kept. Its secret is shown here and never again.', content: 'Webhook' },
})
const changeDoc = operation({
  operationId: 'changeWebhook',
  summary: 'Change a webhook, or enable it again',
  tag,
  params: Ref,
  body: PatchWebhook,
  answer: { status: 200, description: 'The webhook as it is now.', content: 'Webhook' },
})
const testDoc = operation({
  operationId: 'testWebhook',
  summary: 'Send a `webhook.test` to the receiver now, once',
  tag,
  params: Ref,
  answer: { status: 200, description: 'How it went.', content: 'Delivery' },
})
const deliveriesDoc = operation({
  operationId: 'listDeliveries',
  summary: 'List the last attempts to tell the receiver, newest first',
  tag,
  params: Ref,
  answer: { status: 200, description: 'The attempts.', content: 'DeliveryList' },
})
