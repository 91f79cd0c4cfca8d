import Type, { type Static } from 'typebox'
import { exact, orNull } from './fields.ts'

const Time = Type.String({ format: 'date-time' })

/** What was written down of a change; the `data:` of an event of `GET /v1/events?since=`, and the body of a webhook. */
export const Change = Type.Object({
  id: Type.String({ description: 'The same whenever and however it is told.' }),
  cursor: Type.String({ description: 'Give it as `since` to go on behind this change.' }),
  at: Time,
  type: Type.String({ description: '`container.create.start`, `container.status`, `volume.delete` …' }),
  projectId: orNull(Type.String()),
  userId: orNull(Type.String({ description: 'Whose wish it was.' })),
  requestId: orNull(Type.String()),
  objectId: Type.String(),
  data: Type.Record(Type.String(), Type.Unknown(), { description: 'The object as it was then.' }),
})
export type ChangeView = Static<typeof Change>

const types = Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
  maxItems: 32,
  description: 'Exact types, or `container.*`; empty: all.',
})
const name = Type.String({ minLength: 1, maxLength: 255 })
const url = Type.String({ minLength: 8, maxLength: 2048, description: 'https, or http to the loopback interface.' })

export const CreateWebhook = Type.Object({ name: Type.Optional(name), url, types: Type.Optional(types) }, exact)
export const PatchWebhook = Type.Object(
  {
    name: Type.Optional(name),
    url: Type.Optional(url),
    types: Type.Optional(types),
    enabled: Type.Optional(Type.Boolean({ description: 'true also begins anew after it was disabled.' })),
  },
  exact,
)

const Webhook = Type.Object({
  id: Type.String(),
  name: Type.String(),
  projectId: Type.String(),
  url: Type.String(),
  types,
  enabled: Type.Boolean(),
  disabledReason: orNull(Type.String()),
  failures: Type.Integer({ description: 'In a row, of the event that is next.' }),
  nextAt: orNull(Time),
  secret: Type.Optional(Type.String({ description: 'Only in the answer that made it.' })),
  createdAt: Time,
  updatedAt: Time,
})
export type WebhookView = Static<typeof Webhook>

const Delivery = Type.Object({
  event: Type.String(),
  type: Type.String(),
  at: Time,
  attempt: Type.Integer(),
  status: orNull(Type.Integer()),
  milliseconds: Type.Integer(),
  problem: orNull(Type.String()),
})
export type DeliveryView = Static<typeof Delivery>

export const eventDocuments = {
  Change,
  Webhook,
  WebhookList: Type.Object({ webhooks: Type.Array(Webhook) }),
  Delivery,
  DeliveryList: Type.Object({ deliveries: Type.Array(Delivery) }),
}
