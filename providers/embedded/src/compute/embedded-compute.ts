import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { availableParallelism, totalmem } from 'node:os'
import type { Boot, ComputeProvider, FoundInstance } from '@gantry/control'
import { Fault, tarEnd, wholeFile } from '@gantry/kernel'
import type { InstanceId } from '@gantry/model'
import { type EngineCaller, engineCaller } from './engine-calls.ts'
import {
  deploymentLabel,
  instanceBody,
  instanceLabel,
  type InstancePlace,
  type InstanceProgram,
  tokenLabel,
} from './instance-body.ts'
import { serverLine } from './server-line.ts'

export interface EmbeddedComputeOptions {
  /** Path of the socket of this machine's engine, in whose containers instances are. */
  readonly engineSocket: string
  readonly deployment: string
  /** The port for agents, and at which address instances reach it; null: it is on the loopback interface, and they need a line. */
  readonly agents: () => { readonly port: number; readonly address: string | null }
  readonly program: Pick<InstanceProgram, 'node' | 'agent' | 'folder'>
}

/** What the image has beside this machine's folders: who root is. */
const files = { 'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n', 'etc/group': 'root:x:0:\ndocker:x:999:\n' }
const image = 'gantry-instance:1'
/** An engine goes on with a request whose asker is gone. */
const lateMs = 5000

/**
 * Instances on this very machine: system containers with an engine of their own. For trying out what hosts on demand do, and for
 * machines that are large enough to be many; they share its kernel, and nothing but the number of containers bounds them.
 */
export function embeddedCompute(options: EmbeddedComputeOptions): ComputeProvider & AsyncDisposable {
  const { deployment } = options
  const call = engineCaller(options.engineSocket)
  const mark = `${deploymentLabel}=${deployment}`
  const name = `gantry-${deployment.slice(0, 8)}`
  const caFiles = ['/etc/ssl/certs'].filter(existsSync)
  let line: AsyncDisposable | null = null
  let ready: Promise<InstancePlace> | null = null

  async function prepare(signal: AbortSignal): Promise<InstancePlace> {
    await ensureImage(call, signal)
    const { id, gateway } = await ensureNetwork(call, name, mark, signal)
    const { port, address } = options.agents()
    // Of the same number: after a restart of the server it is found at the same place.
    if (address === null) line ??= await serverLine({ host: gateway, port }, port)
    const servers = `${address ?? gateway}:${port}`
    return { image, network: id, deployment, servers, program: { ...options.program, caFiles } }
  }
  /** Once; again after a failure. */
  const place = (signal: AbortSignal) => {
    ready ??= prepare(signal).catch((error: unknown) => {
      ready = null
      throw error
    })
    return ready
  }
  const list = async (signal: AbortSignal) => {
    const filters = JSON.stringify({ label: [mark] })
    const { body } = await call({ path: '/containers/json', query: { all: '1', filters }, signal })
    return body as { Id: string; Labels: Record<string, string>; State: string; Status: string }[]
  }
  return {
    name: 'the embedded provider',
    lateMs,
    async size(signal) {
      // Those that are there already need the line as well.
      await place(signal)
      const { bsize, bavail } = await statfs('/var')
      return {
        cpus: availableParallelism(),
        memory: Math.floor(totalmem() / 1024 ** 2),
        disk: Math.floor((bsize * bavail) / 1024 ** 3),
      }
    },
    async create(boot, signal) {
      const json = instanceBody(boot, await place(signal))
      const path = '/containers/create'
      const query = { name: `${name}-${boot.id}` }
      const made = await call({ method: 'POST', path, query, json, also: [409], signal })
      const id = made.status === 409 ? await sameOne(boot, await list(signal)) : (made.body as { Id: string }).Id
      await call({ method: 'POST', path: `/containers/${id}/start`, also: [304], signal })
      return id
    },
    async list(signal) {
      return (await list(signal)).map(({ Id, Labels, State, Status }): FoundInstance => {
        const problem = State === 'exited' || State === 'dead' ? `its container has ended (${Status})` : null
        const id = (Labels[instanceLabel] ?? '') as InstanceId
        return { providerId: Id, id, tokenId: Labels[tokenLabel] ?? '', problem }
      })
    },
    async delete(providerId, signal) {
      // By its mark, whatever the store says it is.
      if (!(await list(signal)).some(({ Id }) => Id === providerId)) return
      const path = `/containers/${providerId}`
      await call({ method: 'DELETE', path, query: { force: '1', v: '1' }, also: [404, 409], signal })
    },
    async [Symbol.asyncDispose]() {
      await line?.[Symbol.asyncDispose]()
    },
  }
}

/** A request that was repeated by the line or by us. */
async function sameOne(boot: Boot, found: readonly { Id: string; Labels: Record<string, string> }[]): Promise<string> {
  const own = found.find(({ Labels }) => Labels[instanceLabel] === boot.id && Labels[tokenLabel] === boot.tokenId)
  if (own) return own.Id
  const reason = `its container name for ${boot.name} is taken`
  throw new Fault('compute.failed', { provider: 'the embedded provider', reason })
}

async function ensureImage(call: EngineCaller, signal: AbortSignal): Promise<void> {
  const { status } = await call({ path: `/images/${image}/json`, also: [404], signal })
  if (status === 200) return
  const [repo = '', tag = ''] = image.split(':')
  const blocks = Object.entries(files).map(([path, content]) => wholeFile(path, Buffer.from(content)))
  const tar = Buffer.concat([...blocks.flat(), tarEnd])
  await call({ method: 'POST', path: '/images/create', query: { fromSrc: '-', repo, tag }, tar, signal })
}

/** A bridge of the engine's, whose gateway is this machine. */
async function ensureNetwork(
  call: EngineCaller,
  name: string,
  mark: string,
  signal: AbortSignal,
): Promise<{ readonly id: string; readonly gateway: string }> {
  const [key = '', value = ''] = mark.split('=')
  const found = await call({ path: `/networks/${name}`, also: [404], signal })
  if (found.status === 404) {
    const json = { Name: name, Driver: 'bridge', CheckDuplicate: true, Labels: { [key]: value } }
    await call({ method: 'POST', path: '/networks/create', json, also: [409], signal })
  }
  const { body } = found.status === 404 ? await call({ path: `/networks/${name}`, signal }) : found
  const { Id, IPAM } = body as { Id: string; IPAM: { Config: { Gateway?: string; Subnet?: string }[] } }
  const gateway = IPAM.Config[0]?.Gateway?.replace(/\/.*/, '')
  if (gateway) return { id: Id, gateway }
  throw new Fault('compute.failed', { provider: 'the embedded provider', reason: `network ${name} has no gateway` })
}
