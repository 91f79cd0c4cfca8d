import type { IncomingMessage, ServerResponse } from 'node:http'
import { isIPv6, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Fault } from '@gantry/kernel'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Counter, type Registry } from 'prom-client'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { atOnce } from './at-once.ts'
import { whoAsks } from './auth.ts'
import { type BodyPatience, boundBodies } from './bodies.ts'
import { gateUpgrades } from './upgrades.ts'

/** Requests a minute, on this server; 0: any number. */
export interface RequestLimits {
  /** From one address, but for the loopback's. */
  readonly perAddress: number
  /** Of one project. */
  readonly perProject: number
  /** Of them, those that change something. */
  readonly changesPerProject: number
  /** Log-ins from one address. */
  readonly logInsPerAddress: number
  /** Connections from one address at the same time; 0: any number. */
  readonly connections: number
  /** Requests under way at the same time on this server, streams apart; 0: any number. A project may have half. */
  readonly atOnce: number
  /** Streams likewise: logs, terminals, events, waits, copies, pushes and pulls. */
  readonly streamsAtOnce: number
  /** Addresses of balancers: who is behind them is known by the last entry of `X-Forwarded-For`. */
  readonly trustedProxies: readonly string[]
}

/** Counts for all the ports of one process. */
export interface Guards {
  readonly limits: RequestLimits
  address(key: string): Promise<void>
  logIn(key: string): Promise<void>
  project(key: string): Promise<void>
  change(key: string): Promise<void>
  /** false: it has as many connections as it may have. */
  connected(address: string, socket: Socket): boolean
  /** Counts a request until its answer is over. Throws `request.crowded`. */
  begun(request: FastifyRequest, reply: FastifyReply): void
  /** Counts it as the project's too. Throws `request.limited`. */
  begunFor(project: string, request: FastifyRequest, reply: FastifyReply): void
  /** The same of a connection that leaves HTTP. */
  upgraded(socket: Duplex): void
  upgradedFor(project: string, socket: Duplex): void
}

/** Short, so that whoever is told to wait need not wait long. Seconds. */
const span = 10
const logIns = /\/v3\/auth\/tokens$|^\/v2\/token$|\/auth$|^\/ui\/session$/

export function createGuards(limits: RequestLimits, registry: Registry): Guards {
  const refused = new Counter({
    name: 'gantry_limited_total',
    help: 'Requests and connections that were refused because there were too many.',
    labelNames: ['limit'],
    registers: [registry],
  })
  const guard = (limit: string, perMinute: number) => {
    if (perMinute === 0) return async () => undefined
    const limiter = new RateLimiterMemory({ points: Math.ceil((perMinute * span) / 60), duration: span })
    return async (key: string) => {
      try {
        await limiter.consume(key)
      } catch (answer) {
        if (!(answer instanceof RateLimiterRes)) throw answer
        refused.inc({ limit })
        throw new Fault('request.limited', { limit, seconds: Math.max(1, Math.ceil(answer.msBeforeNext / 1000)) })
      }
    }
  }
  const open = new Map<string, number>()
  const note = (limit: string) => refused.inc({ limit })
  const requests = atOnce(limits.atOnce, 'requests', note)
  const streams = atOnce(limits.streamsAtOnce, 'streams', note)
  const untilClosed = closings()
  const placesFor = ({ routeOptions: { config } }: FastifyRequest) => {
    if (config.quiet === true) return null
    return config.streaming === true ? streams : requests
  }
  return {
    limits,
    address: guard('requests from your address', limits.perAddress),
    logIn: guard('log-ins from your address', limits.logInsPerAddress),
    project: guard('requests of your project', limits.perProject),
    change: guard('changes of your project', limits.changesPerProject),
    begun(request, { raw }) {
      untilClosed(raw, placesFor(request)?.take())
    },
    begunFor(project, request, { raw }) {
      untilClosed(raw, placesFor(request)?.takeOf(project))
    },
    upgraded: (socket) => untilClosed(socket, streams.take()),
    upgradedFor: (project, socket) => untilClosed(socket, streams.takeOf(project)),
    connected(address, socket) {
      const count = open.get(address) ?? 0
      if (limits.connections > 0 && count >= limits.connections) {
        refused.inc({ limit: 'connections from one address' })
        return false
      }
      open.set(address, count + 1)
      socket.once('close', () => {
        const left = (open.get(address) ?? 1) - 1
        if (left > 0) open.set(address, left)
        else open.delete(address)
      })
      return true
    },
  }
}

/** Runs what is given when the stream closes, also one that has: the client may be gone by now. */
function closings() {
  // One listener a stream: Node warns of many, and others listen too.
  const waiting = new WeakMap<Duplex | ServerResponse, (() => void)[]>()
  return (stream: Duplex | ServerResponse, done: (() => void) | undefined): void => {
    if (!done) return
    if (stream.destroyed) return done()
    const all = waiting.get(stream)
    if (all) return void all.push(done)
    const first = [done]
    waiting.set(stream, first)
    stream.once('close', () => first.forEach((each) => each()))
  }
}

/**
 * Refuses what is too much, with `request.limited` in the words of whichever façade was asked. For the root instance, before the façades.
 * A project is counted once it is known who asks, and before the body is read.
 */
export function protect(app: FastifyInstance, guards: Guards, patience?: BodyPatience): void {
  boundConnections(app.server, guards)
  app.addHook('onRequest', async (request, reply) => {
    guards.begun(request, reply)
    const address = addressOf(request.raw, guards.limits)
    if (address === null) return
    await orRetryAfter(reply, guards.address(address))
    if (isLogIn(request)) await orRetryAfter(reply, guards.logIn(address))
  })
  app.addHook('preParsing', async (request, reply) => {
    const who = whoAsks(request)
    if (!who) return
    const project = who.projectId ?? who.userId
    await orRetryAfter(reply, guards.project(project))
    if (changes(request.raw)) await orRetryAfter(reply, guards.change(project))
    guards.begunFor(project, request, reply)
  })
  gateUpgrades(app.server, {
    async begin(request, socket) {
      const address = addressOf(request, guards.limits)
      if (address !== null) await guards.address(address)
      guards.upgraded(socket)
    },
    async beginFor(project, request, socket) {
      await guards.project(project)
      if (changes(request)) await guards.change(project)
      guards.upgradedFor(project, socket)
    },
  })
  boundBodies(app, patience)
  // Whoever is told to come back is told when.
  app.addHook('onSend', async (_request, reply) => {
    const isBusy = reply.statusCode === 503 || reply.statusCode === 429
    if (isBusy && !reply.hasHeader('retry-after')) reply.header('retry-after', '1')
  })
}

/** Seconds until one who was refused for `error` should come again; null: never, as it is. */
export function retryAfter(error: unknown, status: number): number | null {
  if (status !== 429 && status !== 503) return null
  const seconds = error instanceof Fault ? Number(error.details['seconds']) : Number.NaN
  return Number.isFinite(seconds) ? seconds : 1
}

/** The façade's own words for the fault follow; the header is the same for all. */
async function orRetryAfter(reply: FastifyReply, allowed: Promise<void>): Promise<void> {
  try {
    await allowed
  } catch (error) {
    if (error instanceof Fault) reply.header('retry-after', error.details['seconds'])
    throw error
  }
}

/** null: not counted. */
function addressOf(request: IncomingMessage, { trustedProxies }: RequestLimits): string | null {
  const remote = plain(request.socket.remoteAddress ?? '')
  if (!trustedProxies.includes(remote)) return isLoopback(remote) ? null : grouped(remote)
  const forwarded = String(request.headers['x-forwarded-for'] ?? '')
  const last = forwarded.split(',').at(-1)?.trim() ?? ''
  return last === '' ? null : grouped(plain(last))
}

/** IPv4 as such, also where it came in the clothes of IPv6. */
function plain(address: string): string {
  return address.replace(/^::ffff:/, '')
}

/** Whoever has one address of IPv6 usually has its whole /64. */
function grouped(address: string): string {
  return isIPv6(address)
    ? new URL(`http://[${address}]`).hostname.slice(1, -1).split(':').slice(0, 4).join(':')
    : address
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address === ''
}

function isLogIn(request: FastifyRequest): boolean {
  const route = request.routeOptions.url ?? ''
  return logIns.test(route) && (request.method === 'POST' || route === '/v2/token')
}

function changes({ method }: IncomingMessage): boolean {
  return method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS'
}

function boundConnections(server: Server, guards: Guards): void {
  server.on('connection', (socket: Socket) => {
    const address = plain(socket.remoteAddress ?? '')
    if (isLoopback(address) || guards.limits.trustedProxies.includes(address)) return
    if (!guards.connected(grouped(address), socket)) socket.destroy()
  })
}
