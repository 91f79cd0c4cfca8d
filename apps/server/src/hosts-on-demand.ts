import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ComputeProvider, HostsOnDemand, Log } from '@gantry/control'
import type { Clock, Ids } from '@gantry/kernel'
import { embeddedCompute } from '@gantry/providers-embedded'
import { novaCompute, openAccess, readNovaSettings } from '@gantry/providers-openstack'
import { formatJoinToken } from '@gantry/wire'
import { isLoopback } from './addresses.ts'
import type { DemandOptions } from './demand-options.ts'
import type { JoinTokens } from './join-tokens.ts'
import type { ServerOptions } from './options.ts'

export interface DemandParts {
  readonly options: Pick<ServerOptions, 'agentsListen' | 'advertise' | 'demand'>
  readonly deployment: string
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly caFingerprint: string
  /** Known when the server serves, but not before. */
  readonly tokens: () => JoinTokens
  readonly agentsPort: () => number
}

/** What control needs to make hosts; null: it is not asked to. */
export async function hostsOnDemand(parts: DemandParts): Promise<(HostsOnDemand & AsyncDisposable) | null> {
  const { demand } = parts.options
  if (!demand) return null
  const provider = await providerOf(demand, parts)
  return {
    provider,
    policy: demand.policy,
    async issueToken(lifeMs) {
      const { id, secret } = await parts.tokens().issueForInstance(lifeMs)
      return { id, token: formatJoinToken({ fingerprint: parts.caFingerprint, id, secret }) }
    },
    [Symbol.asyncDispose]: async () => provider[Symbol.asyncDispose](),
  }
}

async function providerOf({ compute }: DemandOptions, parts: DemandParts): Promise<ComputeProvider & AsyncDisposable> {
  const { options, deployment, agentsPort } = parts
  const { agentsListen, advertise } = options
  if (compute.kind === 'nova') {
    const { cloud, servers } = await readNovaSettings(compute.settingsFile)
    const access = await openAccess(cloud, parts)
    return {
      ...novaCompute({ access, servers, deployment }),
      [Symbol.asyncDispose]: () => access[Symbol.asyncDispose](),
    }
  }
  const address = isLoopback(agentsListen.host) ? null : advertise.host
  return embeddedCompute({
    engineSocket: compute.engineSocket,
    deployment,
    agents: () => ({ port: address === null ? agentsPort() : advertise.port || agentsPort(), address }),
    program: agentProgram(),
  })
}

/** The agent as one file where there is one, else its sources. */
function agentProgram(): { node: string; agent: string; folder: string } {
  const node = process.execPath
  const self = fileURLToPath(import.meta.url)
  const bundles = process.env['GANTRY_PROGRAMS']
  const folder = bundles !== undefined && bundles !== '' ? bundles : dirname(self)
  const bundle = join(folder, 'agent.mjs')
  if (existsSync(bundle)) return { node, agent: bundle, folder }
  const root = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')
  return { node, agent: join(root, 'apps/agent/src/main.ts'), folder: root }
}
