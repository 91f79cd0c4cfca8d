import { basename } from 'node:path'
import type { Clock } from '@gantry/kernel'
import { networkService, type Session } from '@gantry/openstack'
import type { HostLog } from '../agent/host-log.ts'
import { binder as makeBinder } from '../network/binding/binder.ts'
import { PluginRefusal, pluginServer } from '../network/plugin-server.ts'
import { netTools } from '../network/run-in.ts'
import { addresses } from './addresses.ts'
import { hostAttachment, type NestedOptions, nestedAttachment } from './attachment.ts'
import { endpoints, type PortWait } from './endpoints.ts'
import { engines as openEngines } from './engine-view.ts'
import { marksOf } from './names.ts'
import { netBook } from './net-book.ts'
import { networks } from './networks.ts'
import { pluginMethods } from './plugin-methods.ts'
import { pools } from './pools.ts'
import { portBook } from './port-book.ts'
import { portCare } from './port-care.ts'
import { publishing } from './published-ports.ts'
import { releases } from './releases.ts'
import { type Site, toldByNeutron } from './site.ts'
import { resumePlugging } from './resume.ts'
import { type Sweeper, sweeper } from './sweep.ts'

export interface KuryrOptions {
  /** `/run/docker/plugins/kuryr.sock`: its name is the driver's. */
  readonly socket: string
  /** Of the user in whose project everything is made. */
  readonly session: Session
  /** Of a user who may bind ports; the same one, if she may. */
  readonly binding: Session
  /** Id of the project that everything is made in; the session's own unless told. */
  readonly project?: string
  /** Path of the network namespace that the engines and Neutron's agent are in; the plugin's own unless told. */
  readonly engineSpace?: string
  /** This host as its Neutron agent is called. */
  readonly host: string
  readonly poolPrefix: string
  readonly dhcp: boolean
  readonly scope: 'local' | 'global'
  readonly wait: PortWait
  /** The machine is a VM. */
  readonly nested?: NestedOptions
  /** Sockets of all engines that use this plugin; without any, nothing is ever swept. */
  readonly engineSockets: readonly string[]
  /** What no engine knows for so long is removed, milliseconds. */
  readonly graceMs: number
  readonly clock: Clock
  readonly log: HostLog
}

export interface KuryrPlugin {
  /** Ends what is under way; containers keep their networks. */
  close(): Promise<void>
}

/** Docker gives up after half a minute. Milliseconds. */
const callMs = 25_000
const closingMs = 10_000
const ownSpace = '/proc/self/ns/net'

/** Docker's network and address driver on Neutron. Resolves when Docker can call it; asks Neutron nothing before that. */
export async function kuryrPlugin(options: KuryrOptions): Promise<KuryrPlugin> {
  const { log, clock, host, engineSpace = ownSpace } = options
  const closing = new AbortController()
  const neutron = networkService(options.session)
  const site: Site = {
    neutron,
    binding: options.binding === options.session ? neutron : networkService(options.binding),
    project: projectOf(options),
    host,
    marks: marksOf(host),
    poolPrefix: options.poolPrefix,
    dhcp: options.dhcp,
    clock,
    log,
    context: () => ({ signal: AbortSignal.any([closing.signal, AbortSignal.timeout(callMs)]) }),
  }
  const tools = netTools()
  const driver = basename(options.socket, '.sock')
  const binder = makeBinder({ tools, engineSpace, log, mark: `kuryr-${driver}` })
  const attachment = options.nested ? nestedAttachment(site, options.nested) : hostAttachment(site)
  const going = releases(log)
  const book = netBook(site)
  const ports = portBook(site)
  const care = portCare({ site, attachment, binder, releases: going, ports })
  const ofPools = pools(site, book, going)
  const ofNetworks = networks(site, book, ofPools, going)
  const ofAddresses = addresses(site, book, ports, care)
  const ofEndpoints = endpoints({
    site,
    book,
    ports,
    care,
    attachment,
    binder,
    publishing: publishing(site),
    wait: options.wait,
  })
  const engines = openEngines(options.engineSockets, driver)
  /** A peer that is up is in a container: the engine's own end of an unused pair is down. */
  const isPlugged = async (portId: string) => {
    const shown = await tools.sh(engineSpace, `ip link show tap${portId.slice(0, 11)} 2>/dev/null || true`)
    return shown.includes('LOWER_UP')
  }
  const { graceMs } = options

  const methods = pluginMethods({
    pools: ofPools,
    networks: ofNetworks,
    addresses: ofAddresses,
    endpoints: ofEndpoints,
    scope: options.scope,
  })
  let sweep: Sweeper = { poke: () => undefined, close: () => Promise.resolve() }
  const server = await pluginServer({
    socket: options.socket,
    answer: async (name, body) => {
      const method = methods[name]
      if (!method) throw new PluginRefusal(404, `There is no method ${name}.`)
      const began = clock.now()
      try {
        return await method(body)
      } catch (error) {
        // What was remembered may be the reason; what was begun may be left over.
        book.forget()
        sweep.poke()
        throw toldByNeutron(error)
      } finally {
        log.debug({ method: name, ms: clock.now() - began }, 'plugin called')
      }
    },
    isOurs: () => false,
    log,
  })
  const parts = { site, engines, binder, care, networks: ofNetworks, releases: going, isPlugged, graceMs }
  if (options.engineSockets.length > 0) sweep = sweeper(parts)
  const resuming = resumePlugging({ site, attachment, binder }, closing.signal)

  return {
    close: async () => {
      await server.close()
      setTimeout(() => closing.abort(new Error('the plugin is closing')), closingMs).unref()
      await Promise.all([going.close(), sweep.close()])
      closing.abort(new Error('the plugin is closing'))
      await resuming
      binder.close()
      await engines.close()
    },
  }
}

/** Asked once; a failure is not remembered. */
function projectOf({ project, session }: KuryrOptions): () => Promise<string> {
  if (project !== undefined) return () => Promise.resolve(project)
  let known: Promise<string> | null = null
  const ask = async () => {
    const { project: own } = await session.info({ signal: AbortSignal.timeout(callMs) })
    if (!own) throw new PluginRefusal(500, 'The user of this plugin has no project to make networks in.')
    return own.id
  }
  return () => {
    known ??= ask().catch((error: unknown) => {
      known = null
      throw error
    })
    return known
  }
}
