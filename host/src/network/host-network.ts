import { reasonOf } from '@gantry/kernel'
import type { HostLog } from '../agent/host-log.ts'
import type { Engine } from '../engine/engine.ts'
import { EngineError } from '../engine/engine-error.ts'
import { type DockerDriver, dockerDriver } from './docker-driver.ts'
import { binder } from './binding/binder.ts'
import { dockerNetworks } from './docker-networks.ts'
import { dockerWiring } from './docker-wiring.ts'
import { type Fabric, fabric as makeFabric } from './fabric.ts'
import { bindingMark, hostTag } from './names.ts'
import { networkProblem } from './network-problem.ts'
import { podmanWiring } from './podman-wiring.ts'
import { dockerPluginFolder } from './plugin-server.ts'
import { netTools } from './run-in.ts'
import type { Wiring } from './wiring.ts'

export interface HostNetworkOptions {
  readonly engine: Engine
  readonly deployment: string
  readonly log: HostLog
  readonly engineNetns?: string
  readonly pluginFolder?: string
  /** How long a start waits for Neutron's agent to let a container's traffic pass. Milliseconds; 0: not at all. */
  readonly portWaitMs?: number
}

/** All of a host's networking: the fabric in the kernel, and the way in for this host's engine. */
export interface HostNetwork {
  readonly fabric: Fabric
  readonly wiring: () => Promise<Wiring>
  /** Why this machine cannot build networks; null: it can. */
  readonly problem: Promise<string | null>
  /** Ends the work; networks and what is plugged into them stay. */
  close(): Promise<void>
}

export function hostNetwork(options: HostNetworkOptions): HostNetwork {
  const { engine, deployment, log, portWaitMs = 0 } = options
  const tag = hostTag(deployment)
  const tools = netTools()
  // By the process: what runs in another namespace must find ours by this path, too.
  const engineSpace = options.engineNetns ?? `/proc/${process.pid}/ns/net`
  const bound = binder({ tools, engineSpace, log, mark: bindingMark(tag) })
  const fabric = makeFabric({ tag, tools, engineSpace, log, binder: bound })
  let driver: DockerDriver | null = null
  // At once and not when the engine answers: an engine that starts containers by itself asks before that.
  const opening = dockerDriver({ tag, folder: options.pluginFolder ?? dockerPluginFolder, fabric, tools, log }).then(
    (open) => {
      driver = open
      return null
    },
    (error: unknown) => `The network driver for Docker could not be opened: ${reasonOf(error)}`,
  )

  const docker = dockerWiring({
    containers: engine.containers,
    api: engine.networks,
    networks: dockerNetworks(engine.networks, tag, deployment),
    fabric,
    driver: () => driver,
    portWaitMs,
  })
  const podman = podmanWiring({ tag, tools, fabric, engineSpace, portWaitMs })

  return {
    fabric,
    wiring: async () => {
      if (await engine.isPodman()) return podman
      const problem = await opening
      if (problem !== null) throw new EngineError(503, problem)
      return docker
    },
    problem: networkProblem(tools, tag).then(async (problem) => problem ?? opening),
    close: async () => {
      await opening
      await driver?.close()
      await fabric.close()
    },
  }
}
