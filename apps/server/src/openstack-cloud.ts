import { access as accessible } from 'node:fs/promises'
import type { NetworkProvider } from '@gantry/control'
import {
  type CloudVolumesParts,
  cinder,
  cloudVolumes,
  glanceExchange,
  keystoneIdentity,
  keystoneNamespaces,
  manila,
  neutronPorts,
  neutronVerbs,
  openAccess,
  readCloudSettings,
} from '@gantry/providers-openstack'
import type { CloudSide, CloudSideParts } from './cloud-side.ts'
import type { ServerOptions } from './options.ts'

/** Identity, networks, volumes and image names of the OpenStack that this server is beside. null: there is none. */
export async function openstackCloud(
  { store, clock, ids, log, secrets, deployment, servers }: CloudSideParts,
  { path, named, mostSpares }: ServerOptions['openstack'],
): Promise<CloudSide | null> {
  if (!named && !(await isThere(path))) return null
  const settings = await readCloudSettings(path, (sentence) => log.warn({ file: path }, sentence))
  const access = await openAccess(settings, { clock, ids, log })
  const parts = { access, store, clock, ids, log, deployment, ...(servers && { servers }) }
  const verbs = neutronVerbs(parts)
  const ports = neutronPorts({ ...parts, mostSpares, ensureUsual: (caller) => verbs.networks.ensureUsual(caller) })
  const networks: NetworkProvider = { ...verbs, ...ports, fabric: null }
  const backends = [cinder(parts), manila(parts)]
  const volumes = (await anyOf(backends)) ? cloudVolumes({ ...parts, secrets, backends }) : null
  return {
    identityUrl: settings.authUrl,
    identity: keystoneIdentity(parts),
    namespaces: keystoneNamespaces(parts),
    networks,
    volumes,
    imageExchange: glanceExchange(parts),
    mount: async () => undefined,
    async begin() {
      verbs.start()
      await ports.start()
      await volumes?.start()
    },
    // Its users have their credentials already.
    welcome: async () => false,
    async close() {
      verbs[Symbol.dispose]()
      await ports[Symbol.asyncDispose]()
      await volumes?.[Symbol.asyncDispose]()
      await access[Symbol.asyncDispose]()
    },
  }
}

/** For a catalog that cannot be read just now. Milliseconds. */
const catalogMs = 10_000

/** A cloud that says nothing now has volumes like most of them: what is kept there must not be looked for on disks of hosts. */
async function anyOf(backends: CloudVolumesParts['backends']): Promise<boolean> {
  const late = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => late.resolve(true), catalogMs)
  const there = backends.map((backend) => backend.isThere().catch(() => true))
  const found = await Promise.race([Promise.all(there).then((answers) => answers.includes(true)), late.promise])
  clearTimeout(timer)
  return found
}

function isThere(path: string): Promise<boolean> {
  return accessible(path).then(
    () => true,
    () => false,
  )
}
