import { readFile, statfs } from 'node:fs/promises'
import { arch, hostname, release, totalmem } from 'node:os'
import type { HostFacts } from '@gantry/model'
import type { Engine } from '../engine/engine.ts'
import { machineKind } from './machine-kind.ts'

export interface FactsOptions {
  readonly name: string | undefined
  readonly labels: Readonly<Record<string, string>>
  readonly agentVersion: string
  readonly neutronHost?: string | undefined
  readonly nested?: { readonly kind: 'vlan' | 'macvlan'; readonly link: string } | undefined
}

/** What this machine and its engine are. Rejects when the engine does not answer. */
export async function hostFacts(engine: Engine, options: FactsOptions, signal?: AbortSignal): Promise<HostFacts> {
  const [info, version] = await Promise.all([engine.info(signal), engine.version(signal)])
  return {
    hostname: options.name ?? hostname(),
    engine: {
      name: version.Components?.some(({ Name }) => /podman/i.test(Name)) ? 'podman' : 'docker',
      version: version.Version,
      apiVersion: version.ApiVersion,
      rootDir: info.DockerRootDir,
    },
    cpus: info.NCPU,
    memory: Math.floor(info.MemTotal / 1024 ** 2),
    disk: await diskGib(info.DockerRootDir),
    architecture: info.Architecture,
    osType: info.OSType,
    os: info.OperatingSystem,
    kernelVersion: info.KernelVersion,
    runtimes: Object.keys(info.Runtimes ?? {}),
    ...(await cloudFacts(options)),
    ...(await machineKind()),
    labels: { ...options.labels },
    leases: true,
    agentVersion: options.agentVersion,
  }
}

/** What Neutron must be told of this machine. */
async function cloudFacts({ neutronHost, nested }: FactsOptions): Promise<Partial<HostFacts>> {
  const mac = nested && (await readFile(`/sys/class/net/${nested.link}/address`, 'utf8')).trim()
  return {
    ...(neutronHost !== undefined && { neutronHost }),
    ...(nested && mac !== undefined && { nested: { ...nested, mac } }),
  }
}

/** What can be said while the engine has never answered yet. No cores: nothing is placed on such a host. */
export function factsWithoutEngine({ name, labels, agentVersion }: FactsOptions): HostFacts {
  return {
    hostname: name ?? hostname(),
    engine: { name: 'unknown', version: '', apiVersion: '', rootDir: '' },
    cpus: 0,
    memory: Math.floor(totalmem() / 1024 ** 2),
    disk: 0,
    architecture: arch(),
    osType: process.platform,
    os: '',
    kernelVersion: release(),
    runtimes: [],
    labels: { ...labels },
    leases: true,
    agentVersion,
  }
}

/** What keeps this machine from part of the work, as its facts have it. Pure. */
export function problemFacts([network, volume]: readonly [string | null, string | null]): Partial<HostFacts> {
  return { ...(network !== null && { networkProblem: network }), ...(volume !== null && { volumeProblem: volume }) }
}

async function diskGib(folder: string): Promise<number> {
  try {
    const { blocks, bsize } = await statfs(folder)
    return Math.floor((blocks * bsize) / 1024 ** 3)
  } catch {
    // The engine lives in a place that the agent may not see (another mount namespace, a virtual machine).
    return 0
  }
}
