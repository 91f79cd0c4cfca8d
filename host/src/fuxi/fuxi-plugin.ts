import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type Clock, reasonOf } from '@gantry/kernel'
import { type Context, type Session, shareService, volumeService } from '@gantry/openstack'
import Type from 'typebox'
import { Value } from 'typebox/value'
import type { HostLog } from '../agent/host-log.ts'
import { checked, PluginRefusal, PluginSilence, pluginServer } from '../network/plugin-server.ts'
import { attachedVolumes, programsUnder } from '../volumes/index.ts'
import type { FuxiBackend } from './backend.ts'
import { cinderBackend, type CinderDefaults } from './cinder.ts'
import { claimText } from './cinder-marks.ts'
import { engineView } from './engine-view.ts'
import { type EntryCache, entryCache } from './entry-cache.ts'
import { openKnownFile } from './known-file.ts'
import { manilaBackend, type ManilaDefaults } from './manila.ts'
import { CreateVolume, OfMount, OfVolume } from './messages.ts'
import { openRecordBook } from './record-book.ts'
import { takeIn, takeInUnknown } from './recovery.ts'
import { stays as makeStays } from './stays.ts'
import { sweep } from './sweep.ts'
import { nameOfService, reasonToldOf, told } from './told.ts'
import { type Verbs, verbs as makeVerbs } from './verbs.ts'

export interface FuxiOptions {
  /** `/run/docker/plugins/fuxi.sock`: its name is the driver's. */
  readonly socket: string
  /** Of the user in whose project all volumes are. */
  readonly session: Session
  /** In the order in which they are asked; the first is the usual one. */
  readonly providers: readonly FuxiBackend['name'][]
  /** This host, as the storage and users are told of it. */
  readonly host: string
  /** Its address for the storage; found out unless told. */
  readonly address?: string
  /** What is mounted is known here, over restarts. No other process may use it. */
  readonly stateDir: string
  /** Volumes are mounted below it. */
  readonly volumeDir: string
  /** The value of `volume_from` in the metadata of what is the plugin's. */
  readonly from: string
  readonly cinder: CinderDefaults
  readonly manila: ManilaDefaults
  /** How long a volume stays on the host when no container uses it any more, milliseconds. */
  readonly lingerMs: number
  /** Sockets of all engines that use this plugin; without any, only what Docker says counts. */
  readonly engineSockets: readonly string[]
  /** What no container uses for so long is taken off the host, milliseconds. */
  readonly graceMs: number
  readonly clock: Clock
  readonly log: HostLog
}

export interface FuxiPlugin {
  /** Ends what is under way; containers keep their volumes. */
  close(): Promise<void>
}

/** Docker gives up after two minutes. Milliseconds. */
const callMs = 110_000

/** Docker's volume driver on Cinder and Manila. Resolves when Docker can call it; asks the services nothing before that. */
export async function fuxiPlugin(options: FuxiOptions): Promise<FuxiPlugin> {
  const { log, clock, stateDir, volumeDir: folder, lingerMs } = options
  const closing = new AbortController()
  const context = (): Context => ({ signal: AbortSignal.any([closing.signal, AbortSignal.timeout(callMs)]) })
  await mkdir(stateDir, { recursive: true, mode: 0o700 })
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const programs = programsUnder(join(stateDir, 'programs.lock'))
  await programs.allEnded()
  const { host, address } = options
  const storage = { folder: join(stateDir, 'attached'), programs, log, host, ...(address !== undefined && { address }) }
  const attached = attachedVolumes(storage)
  const claim = claimText(host, await machineMark())
  const backends = backendsOf(options, claim, () => attached.connector())
  const book = await openRecordBook(join(stateDir, 'volumes'))
  const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  const stays = makeStays({ book, attached, backends, folder, lingerMs, bootId, log })
  const caches = await cachesOf(backends, options)
  const recovery = { book, stays, attached, backends, folder, bootId, context, log }
  await takeIn(recovery)
  const methods = methodsOf(makeVerbs({ backends, caches, stays, context }))
  const server = await pluginServer({
    socket: options.socket,
    answer: async (name, body) => {
      const method = methods[name]
      if (!method) throw new PluginRefusal(404, `There is no method ${name}.`)
      const began = clock.now()
      try {
        return { Err: '', ...(await method(body)) }
      } catch (error) {
        throw told(error)
      } finally {
        log.debug({ method: name, ms: clock.now() - began }, 'plugin called')
      }
    },
    isOurs: () => false,
    log,
  })
  const engines = engineView(options.engineSockets, basename(options.socket, '.sock'))
  const sweeping =
    options.engineSockets.length > 0
      ? sweep({ book, stays, engines, graceMs: options.graceMs, clock, log })
      : { close: () => Promise.resolve() }
  const recovering = takeInUnknown(recovery, closing.signal)

  return {
    close: async () => {
      await server.close()
      closing.abort(new Error('the plugin is closing'))
      for (const cache of caches.values()) cache.close()
      await Promise.all([sweeping.close(), stays.close(), recovering])
      await engines.close()
      await programs.allEnded().catch((error: unknown) => log.warn({ reason: reasonOf(error) }, 'programs go on'))
    },
  }
}

async function cachesOf(
  backends: readonly FuxiBackend[],
  { stateDir, clock, log }: FuxiOptions,
): Promise<ReadonlyMap<FuxiBackend, EntryCache>> {
  const failed = (error: unknown) => log.warn({ reason: reasonToldOf(error) }, 'list of volumes not renewed')
  const caches = new Map<FuxiBackend, EntryCache>()
  for (const backend of backends) {
    const { before, keep } = await openKnownFile(join(stateDir, `known-${backend.name}.json`), failed)
    const load = (signal: AbortSignal) => backend.list({ signal })
    caches.set(backend, entryCache({ service: nameOfService(backend.name), before, keep, load, clock, failed }))
  }
  return caches
}

function backendsOf(
  options: FuxiOptions,
  claim: string,
  connector: () => Promise<Readonly<Record<string, unknown>>>,
): FuxiBackend[] {
  const { session, host, from, clock, cinder, manila, providers } = options
  const project = async (context: Context): Promise<string> => {
    const { project: own } = await session.info(context)
    if (!own) throw new PluginRefusal(500, 'The user of this plugin has no project to have volumes in.')
    return own.id
  }
  return providers.map((name) => {
    const common = { project, host, from, connector }
    return name === 'cinder'
      ? cinderBackend({ ...common, claim, cinder: volumeService(session), defaults: cinder, clock })
      : manilaBackend({ ...common, manila: shareService(session), defaults: manila })
  })
}

/** Docker repeats a question that was cut off without its contents; what is not known to be missing must not be said to be. */
function askedName(body: unknown): string {
  if (Value.Check(Type.Object({}, { additionalProperties: false }), body)) {
    throw new PluginSilence('Docker has lost the contents of its question.')
  }
  return checked(OfVolume, body).Name
}

/** The same over restarts, and another on a machine that is called the same. */
async function machineMark(): Promise<string> {
  const id = await readFile('/etc/machine-id', 'utf8').catch(() => '')
  return createHash('sha256').update(`gantry fuxi ${id.trim()}`).digest('hex').slice(0, 12)
}

type Method = (body: unknown) => Promise<object> | object

function methodsOf(verbs: Verbs): Readonly<Record<string, Method>> {
  return {
    'Plugin.Activate': () => ({ Implements: ['VolumeDriver'] }),
    'VolumeDriver.Capabilities': () => ({ Capabilities: { Scope: 'global' } }),
    'VolumeDriver.Create': (body) => verbs.create(checked(CreateVolume, body)),
    'VolumeDriver.Get': (body) => verbs.get(askedName(body)),
    'VolumeDriver.List': () => verbs.list(),
    'VolumeDriver.Path': (body) => verbs.path(checked(OfVolume, body).Name),
    'VolumeDriver.Mount': (body) => verbs.mount(checked(OfMount, body)),
    'VolumeDriver.Unmount': (body) => verbs.unmount(checked(OfMount, body)),
    'VolumeDriver.Remove': (body) => verbs.remove(checked(OfVolume, body).Name),
  }
}
