import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'

/** A place where a client may ask for another protocol on its connection (WebSocket, a hijacked stream). */
export interface UpgradeRoute {
  /** `path`: without the query. */
  takes(path: string): boolean
  /** Owns the connection from now on, refusals included. Nobody catches what it throws. */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

/** The routes of one server, and what Node asks of them. */
export class Upgrades {
  readonly #routes: UpgradeRoute[] = []

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
    if (route) route.handle(request, socket, head)
    else socket.destroy()
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
  const upgrades = tables.get(app.server)
  if (!upgrades) throw new Error('This app was not made by createHttpApp.')
  upgrades.add(route)
}
