import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib'
import type { Notification } from './oslo-message.ts'
import { osloMessage } from './oslo-message.ts'

export interface BrokerOptions {
  /** `amqp://user:password@host:5672/vhost`, or `amqps`. */
  readonly url: string
  readonly exchange: string
  /** Routing keys, and queues, are this with `.info` and `.error`. */
  readonly topic: string
}

/** A connection to a message broker, good until it is lost. */
export interface Broker extends AsyncDisposable {
  /** Resolves when the broker has all of them in its keeping. */
  publish(notifications: readonly Notification[]): Promise<void>
  /** Rejects when the connection is lost. */
  readonly lost: Promise<never>
}

const connectTimeoutMs = 5_000
const heartbeatSeconds = 10
/** A broker that is out of memory or disk stops reading, and says nothing. */
const confirmTimeoutMs = 30_000

/**
 * Connects, and makes sure that what is published lies in a queue until somebody takes it, as oslo.messaging's own driver does: nobody
 * need be listening yet.
 */
export async function openBroker({ url, exchange, topic }: BrokerOptions): Promise<Broker> {
  const separator = url.includes('?') ? '&' : '?'
  const connection = await connect(`${url}${separator}heartbeat=${heartbeatSeconds}`, { timeout: connectTimeoutMs })
  const lost = new Promise<never>((_resolve, reject) => {
    connection.on('error', reject)
    connection.on('close', () => reject(new Error('the broker closed the connection')))
  })
  // Whoever waits for it hears of it; nobody need.
  lost.catch(() => undefined)
  try {
    await declare(connection, exchange, topic)
    const channel = await connection.createConfirmChannel()
    channel.on('error', () => undefined)
    return {
      lost,
      publish: (notifications) => Promise.race([published(channel, { exchange, topic }, notifications), lost]),
      [Symbol.asyncDispose]: () => connection.close().catch(() => undefined),
    }
  } catch (error) {
    await connection.close().catch(() => undefined)
    throw error
  }
}

/** What another service has declared, durable or not, is used as it is: declaring it otherwise is an error to the broker. */
async function declare(connection: ChannelModel, exchange: string, topic: string): Promise<void> {
  const durable = { durable: true }
  await unlessThere(
    connection,
    (channel) => channel.checkExchange(exchange),
    (channel) => channel.assertExchange(exchange, 'topic', durable),
  )
  for (const queue of [`${topic}.info`, `${topic}.error`]) {
    await unlessThere(
      connection,
      (channel) => channel.checkQueue(queue),
      (channel) => channel.assertQueue(queue, durable),
    )
    const channel = await connection.createConfirmChannel()
    await channel.bindQueue(queue, exchange, queue)
    await channel.close()
  }
}

async function unlessThere(
  connection: ChannelModel,
  check: (channel: ConfirmChannel) => Promise<unknown>,
  make: (channel: ConfirmChannel) => Promise<unknown>,
): Promise<void> {
  for (const step of [check, make]) {
    // A refusal closes its channel.
    const channel = await connection.createConfirmChannel()
    channel.on('error', () => undefined)
    try {
      await step(channel)
      return await channel.close()
    } catch (error) {
      if (step === make) throw error
    }
  }
}

async function published(
  channel: ConfirmChannel,
  { exchange, topic }: Pick<BrokerOptions, 'exchange' | 'topic'>,
  notifications: readonly Notification[],
): Promise<void> {
  for (const notification of notifications) {
    const { id, body } = osloMessage(notification)
    channel.publish(exchange, `${topic}.${notification.priority.toLowerCase()}`, body, {
      messageId: id,
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      deliveryMode: 2,
    })
  }
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('the broker did not confirm in time')), confirmTimeoutMs)
  })
  try {
    await Promise.race([channel.waitForConfirms(), late])
  } finally {
    clearTimeout(timer)
  }
}
