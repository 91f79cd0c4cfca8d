import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'

/** A place where a client may ask for another protocol on its connection (WebSocket, a hijacked stream). */
export interface UpgradeRoute {
  /** `path`: without the query. */
  takes(path: string): boolean
  /** Owns the connection from now on, refusals included. Nobody catches what it throws. */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Instead of `handle`: answers in the route's own words why not, and ends the connection. */
  refuse(request: IncomingMessage, socket: Duplex, error: unknown): void
}

/** Counts connections that leave HTTP, each until it closes. Throws what they are refused for. */
export interface UpgradeGate {
  begin(request: IncomingMessage, socket: Duplex): Promise<void>
  beginFor(project: string, request: IncomingMessage, socket: Duplex): Promise<void>
}

/** The routes of one server, and what Node asks of them. */
export class Upgrades {
  readonly #routes: UpgradeRoute[] = []
  gate: UpgradeGate | null = null

  add(route: UpgradeRoute): void {
    this.#routes.push(route)
  }

  /**
   * Whether to leave HTTP for this request. Everywhere else an offer such as `Upgrade: h2c` is declined by answering the
   * request as it is (RFC 9110, 7.8).
   */
  readonly wanted = (request: IncomingMessage): boolean => this.#routeOf(request) !== undefined

  readonly handle = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const route = this.#routeOf(request)
    if (!route) return void socket.destroy()
    if (!this.gate) return route.handle(request, socket, head)
    // The route listens only when the gate has let it pass.
    socket.on('error', () => undefined)
    this.gate.begin(request, socket).then(
      () => route.handle(request, socket, head),
      (error: unknown) => route.refuse(request, socket, error),
    )
  }

  #routeOf({ url = '/' }: IncomingMessage): UpgradeRoute | undefined {
    const path = url.replace(/\?.*$/s, '')
    return this.#routes.find((route) => route.takes(path))
  }
}

const tables = new WeakMap<object, Upgrades>()

/** To be called once, by the maker of the server, with the table that the server was given. */
export function serveUpgrades(server: Server, upgrades: Upgrades): void {
  tables.set(server, upgrades)
  server.on('upgrade', upgrades.handle)
}

/** Registers a route, from whatever plugin of the app. */
export function onUpgrade(app: FastifyInstance, route: UpgradeRoute): void {
  upgradesOf(app.server).add(route)
}

/** Lets every connection through `gate` before its route has it. */
export function gateUpgrades(server: object, gate: UpgradeGate): void {
  upgradesOf(server).gate = gate
}

/** For a route that has found out who asks. Throws `request.limited`. */
export async function countUpgrade(
  app: FastifyInstance,
  project: string,
  request: IncomingMessage,
  socket: Duplex,
): Promise<void> {
  await upgradesOf(app.server).gate?.beginFor(project, request, socket)
}

function upgradesOf(server: object): Upgrades {
  const upgrades = tables.get(server)
  if (!upgrades) throw new Error('This app was not made by createHttpApp.')
  return upgrades
}
