import { cp, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { unmountBelow } from '../../../apps/cli/src/local/engine/unmount.ts'
import { bundle } from '../../../tools/bundle.ts'
import { loadBusybox, smallDisk, startEngine, type TestEngine } from '../../fixtures/engine.ts'
import { noteNetworks, removeNetworks } from '../../fixtures/engine-leftovers.ts'
import { createClient } from './client.ts'
import { createDatabase, type Database } from './database.ts'
import { type Disk, diskAt } from './disk.ts'
import { createNetwork, type Machine } from './network.ts'
import { type Program, program } from './program.ts'
import { seeded } from './random.ts'
import { sweepCampaigns } from './sweep.ts'

/** A machine with a server. */
export interface Server {
  readonly machine: Machine
  readonly program: Program
  /** `https://host:port` of all APIs but Docker's, and of that. */
  readonly api: string
  readonly docker: string
}

/** A machine with an engine and an agent. */
export interface Host {
  readonly machine: Machine
  readonly agent: Program
  readonly engine: TestEngine
  readonly disk: Disk
  /** `deployment/host`, by which its namespaces are named. */
  readonly deployment: () => string
}

/** All that a campaign runs on: every part a process on a machine of its own, all of them on one bridge. */
export interface World extends AsyncDisposable {
  readonly folder: string
  /** The certificate authority of the servers. */
  readonly authority: string
  /** The home of a server that has the administrator's openrc. */
  readonly home: string
  readonly servers: readonly Server[]
  readonly hosts: readonly Host[]
  /** null: one server on SQLite. */
  readonly database: { readonly machine: Machine; readonly process: Database; readonly disk: Disk } | null
  readonly crashes: readonly string[]
}

export interface WorldOptions {
  readonly servers: number
  readonly hosts: number
  /** Whether the servers share a PostgreSQL. */
  readonly postgres: boolean
  readonly serverArgs?: readonly string[]
  /** Asked at the end: where to put the logs of all parts and what else a person needs to see what happened; null: nowhere. */
  readonly logsTo: () => string | null
}

export async function createWorld(options: WorldOptions): Promise<World> {
  await sweepCampaigns()
  const tag = process.pid.toString(36)
  const folder = `/tmp/gantry-campaign-${tag}`
  await mkdir(folder, { recursive: true })
  await using opened = new AsyncDisposableStack()
  opened.defer(async () => {
    await keepLogs(folder, options.logsTo())
    unmountBelow(folder)
    await rm(folder, { recursive: true, force: true })
  })
  // Both take their time, and wait for nothing else.
  const engines = Array.from({ length: options.hosts }, engineWithImage)
  const started = Promise.allSettled(engines)
  opened.defer(async () => {
    for (const one of await started) if (one.status === 'fulfilled') await one.value.stop()
  })
  // As they are now: whoever edits the sources meanwhile does not change what a part is when it is started again.
  const programs = join(folder, 'programs')
  await bundle({ out: programs, only: ['server', 'agent'] })
  const network = opened.use(await createNetwork(tag, process.pid % 250))
  const crashes: string[] = []
  const onCrash = (text: string) => void crashes.push(text)

  const database = options.postgres ? await startDatabase() : null
  // The first makes what all share.
  const first = await startServer(1)
  const more = Array.from({ length: options.servers - 1 }, (_, at) => startServer(at + 2))
  const servers: Server[] = [first, ...(await Promise.all(more))]
  const home = join(folder, 'server-1')
  const authority = await readFile(join(home, 'ca', 'ca.pem'), 'utf8')
  await using client = createClient({ servers, authority, home }, seeded(0))
  const admin = await client.admin()
  const agents = servers.map(({ machine }) => `${machine.address}:9702`)
  const hosts = await Promise.all(engines.map(async (engine, at) => startHost(at + 1, await engine)))

  async function startDatabase() {
    const machine = await network.machine('database')
    const place = join(folder, 'database')
    await smallDisk(place, 768)
    const process = await createDatabase(machine, place)
    opened.defer(() => process.kill9())
    await process.start()
    return { machine, process, disk: diskAt('database', place) }
  }
  async function startServer(number: number): Promise<Server> {
    const name = `server-${number}`
    const machine = await network.machine(name)
    const home = join(folder, name)
    await mkdir(home)
    // As an administrator brings it along: all else that servers share is in their database.
    if (number > 1) await cp(join(folder, 'server-1', 'secrets.key'), join(home, 'secrets.key'))
    const ports = { listen: 9700, 'agents-listen': 9702, 'docker-listen': 9703, 'docker-tls-listen': 9704 }
    const listens = Object.entries(ports).flatMap(([option, port]) => [`--${option}`, `${machine.address}:${port}`])
    const process = await program({
      name,
      netns: machine.netns,
      folder,
      script: join(programs, 'server.mjs'),
      args: () => [
        '--home',
        home,
        ...listens,
        '--cpu-ratio',
        '64',
        '--memory-ratio',
        '16',
        ...(options.serverArgs ?? []),
      ],
      env: () => (database ? { GANTRY_DATABASE: database.process.url } : {}),
      onCrash,
    })
    opened.defer(() => process.kill9())
    await process.start()
    const at = (port: number) => `https://${machine.address}:${port}`
    return { machine, program: process, api: at(9700), docker: at(9703) }
  }
  async function freshToken(): Promise<string> {
    const { status, text, json } = await client.ask(admin, { method: 'POST', path: '/v1/hosts/join-tokens' })
    if (status !== 201 && status !== 200) throw new Error(`no join token: ${status} ${text}`)
    return String((json as Record<string, unknown>)['token'])
  }
  async function startHost(number: number, engine: TestEngine): Promise<Host> {
    const name = `host-${number}`
    const machine = await network.machine(name, engine.netns)
    const root = dirname(engine.socket)
    // On the engine's disk, as on a machine that has one disk.
    const state = join(root, 'data', 'agent')
    const deployment = { name: '' }
    const token = await freshToken()
    const process = await program({
      name: `agent-${number}`,
      netns: engine.netns,
      folder,
      script: join(programs, 'agent.mjs'),
      args: () => [
        `--join=${agents.join(',')}`,
        `--state=${state}`,
        `--engine=${engine.url}`,
        `--engine-netns=${engine.netns}`,
        `--name=${name}`,
      ],
      env: () => ({ GANTRY_JOIN_TOKEN: token }),
      onCrash,
    })
    opened.defer(async () => {
      await process.kill9()
      removeNetworks(root)
    })
    await process.start()
    const credentials = JSON.parse(await readFile(join(state, 'host.json'), 'utf8')) as Record<string, string>
    deployment.name = `${credentials['deployment']}/${credentials['hostId']}`
    noteNetworks(root, deployment.name)
    return {
      machine,
      agent: process,
      engine,
      disk: diskAt(name, join(root, 'data')),
      deployment: () => deployment.name,
    }
  }

  const kept = opened.move()
  return {
    folder,
    authority,
    home,
    servers,
    hosts,
    database,
    crashes,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

async function engineWithImage(): Promise<TestEngine> {
  const engine = await startEngine({ diskMiB: 384 })
  await loadBusybox(engine.socket)
  return engine
}

async function keepLogs(folder: string, to: string | null): Promise<void> {
  if (to === null) return
  await mkdir(to, { recursive: true })
  for (const name of await readdir(folder)) if (/\.(log|json)$/.test(name)) await cp(join(folder, name), join(to, name))
}
