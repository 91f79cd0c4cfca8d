import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import type { HostView } from '@gantry/facade-native'
import { systemClock } from '@gantry/kernel'
import { type AdminCloud, openAdmin } from './admin-cloud.ts'
import { computeFindings } from './check-compute.ts'
import { agentFindings, type CheckedHost, machineFindings } from './check-hosts.ts'
import { logInFindings, settingsFinding } from './check-identity.ts'
import { heatFindings, imageFindings, neutronFindings, ownFindings } from './check-services.ts'
import { volumeFindings } from './check-volumes.ts'
import { type Finding, finding } from './finding.ts'
import { settingsIn } from './settings-file.ts'

export interface DoctorOptions {
  /** openstack.yaml of the server. */
  readonly file: string
  /** How the server makes hosts at Nova; it may not be there. */
  readonly computeFile: string
  /** What Neutron's agent on this machine calls it; undefined: its host name. */
  readonly neutronHost: string | undefined
}

/** Looks at everything that a Gantry beside an OpenStack needs, as the service user. Changes nothing. */
export async function examineCloud({ file, computeFile, neutronHost }: DoctorOptions): Promise<readonly Finding[]> {
  const about = await finding(() => settingsFinding(file), 'docs/operate/openstack.md shows what it must say.')
  const read = await settingsIn(file).catch(() => null)
  if (!read) return about
  await using cloud = await openAdmin(read.settings)
  const entry = await finding(
    async () => logInFindings(cloud, await cloud.session.info(cloud.context()), systemClock.now()),
    'Is auth_url right and Keystone running, and is the password the one that gantry openstack register gave?',
  )
  if (entry.length === 1) return [...about, ...entry]
  const onDemand = existsSync(computeFile)
  const [images, networks, volumes, heat, own, compute] = await Promise.all([
    finding(() => imageFindings(cloud), 'Glance must be in the catalog and answer.'),
    finding(() => neutronFindings(cloud), 'Neutron must be in the catalog and answer.'),
    finding(() => volumeFindings(cloud), 'The role admin is needed to see the daemons of Cinder.'),
    finding(() => heatFindings(cloud)),
    ownFindings(cloud, onDemand),
    onDemand ? computeFindings(computeFile) : [],
  ])
  const hosts = await hostFindings(cloud, own.hosts, neutronHost)
  return [...about, ...entry, ...own.findings, ...images, ...networks, ...volumes, ...compute, ...hosts, ...heat]
}

async function hostFindings(
  cloud: AdminCloud,
  hosts: readonly HostView[] | null,
  neutronHost: string | undefined,
): Promise<readonly Finding[]> {
  const here = neutronHost ?? hostname()
  const known: CheckedHost[] = (hosts ?? []).map((host) => ({ name: host.name, neutronHost: host.neutronHost }))
  const asked = neutronHost !== undefined || known.length === 0 ? [{ name: hostname(), neutronHost: here }] : []
  const others = known.filter((host) => !asked.some((one) => one.neutronHost === host.neutronHost))
  return await finding(async () => {
    const { findings, agents } = await agentFindings(cloud, [...asked, ...others])
    return [...findings, ...machineFindings(agents, here)]
  }, 'The role admin is needed to see the agents of Neutron.')
}
