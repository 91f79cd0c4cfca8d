import {
  allowed,
  type Check,
  confined,
  type FieldRules,
  fieldsOf,
  ignored,
  listOf,
  refused,
  refusedBy,
} from './field-rule.ts'
import { isNothing } from './canonical.ts'
import { driverCheck, driverOptsCheck, volumeDriverWhy, volumeOptionsWhy } from './volume-drivers.ts'
import { extraHostsCheck, securityOptCheck, ulimitsCheck } from './limit-checks.ts'

const bounded = 'Within the bounds of all builds'
const buildKit = 'BuildKit is not offered; the classic builder is'

/** The query of `POST /build`: values are strings, as sent, and JSON in some. */
export const buildRules: FieldRules = {
  buildargs: allowed('They reach only its own steps'),
  buildid: refused('buildid', buildKit),
  cachefrom: confined("The project's images and public ones"),
  cgroupparent: refused('cgroupparent', 'It leaves the limits that the service keeps'),
  cpuperiod: confined(bounded),
  cpuquota: confined(bounded),
  cpusetcpus: refused('cpusetcpus', "It pins onto other tenants' cores"),
  cpusetmems: refused('cpusetmems', "It pins onto other tenants' memory"),
  cpushares: confined(bounded),
  dockerfile: confined('A file of the context'),
  extrahosts: confined('host-gateway is the host and refused', jsonCheck(extraHostsCheck)),
  forcerm: allowed('The steps of a build are always removed'),
  isolation: refused('isolation', 'It is of Windows only', { harmless: ['default'] }),
  labels: confined('Names that begin with `gantry.` are passed over'),
  memory: confined(bounded),
  memswap: ignored('There is no swap'),
  networkmode: refusedBy("The host's network, or another container's, is not the build's", networkModeCheck()),
  nocache: allowed('It costs its own time'),
  outputs: refused('outputs', buildKit),
  platform: allowed('Which variant of an image'),
  pull: allowed('As an image is pulled'),
  q: allowed('How much is told'),
  remote: refused('remote', "The host would fetch it, from networks that are not the tenant's; send the context"),
  rm: allowed('The steps of a build are always removed'),
  securityopt: refusedBy('It takes the confinement off', jsonCheck(securityOptCheck)),
  session: refused('session', buildKit),
  shmsize: confined(bounded),
  squash: ignored('Engines offer it only as an experiment'),
  storageopt: refused('storageopt', 'They are orders to the storage driver of the host'),
  t: confined("A name of the project's"),
  target: allowed('A stage of its own'),
  ulimits: confined('As of a container', jsonCheck(ulimitsCheck)),
  version: refused('version', buildKit, { harmless: ['1', 1] }),
}

/** Sent as JSON in one string, or as several strings. What does not parse is dangerous as it stands. */
function jsonCheck(check: Check): Check {
  return (value, around) => {
    const found = parsed(value)
    return isNothing(found) ? [] : check(found, around)
  }
}

export function parsed(value: unknown): unknown {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value) as unknown
  } catch {
    return value
  }
}

function networkModeCheck(): Check {
  return (value) =>
    /^(host$|container:|ns:|\/)/i.test(String(value))
      ? [{ field: `networkmode ${String(value).slice(0, 80)}`, reason: "only the project's own networks", lifts: [] }]
      : []
}

/** The body of `POST /volumes/create`. */
export const volumeRules: FieldRules = {
  ClusterVolumeSpec: refused('ClusterVolumeSpec', 'There is no swarm here'),
  Driver: confined(volumeDriverWhy, driverCheck('Driver')),
  DriverOpts: confined(volumeOptionsWhy, driverOptsCheck),
  Labels: allowed('They are kept'),
  Name: confined('Names are per project'),
}

/** The body of `POST /networks/create`. */
export const networkRules: FieldRules = {
  Attachable: ignored('It means something in a swarm only'),
  CheckDuplicate: allowed('Names are always unique in a project here'),
  ConfigFrom: refused('ConfigFrom', "It takes over another network's configuration, parent interfaces included"),
  ConfigOnly: refused('ConfigOnly', "Networks of the host are the service's"),
  Driver: refused('Driver', 'Others put containers onto the interfaces of the host', {
    harmless: ['bridge', 'default'],
  }),
  EnableIPv4: allowed('Which addresses it has'),
  EnableIPv6: allowed('Which addresses it has'),
  IPAM: refusedBy("Subnets are the network's own and may be any; drivers and options are refused", ipamCheck()),
  Ingress: refused('Ingress', 'There is no swarm here'),
  Internal: allowed('It only narrows'),
  Labels: allowed('They are kept'),
  Name: confined('Names are per project; bridge, host, none and default are taken', reservedNames()),
  Options: refused('Options', 'They are orders to a network driver of the host'),
  Scope: refused('Scope', 'There is no swarm here', { harmless: ['local'] }),
}

function ipamCheck(): Check {
  return (value) => {
    const ipam = fieldsOf('IPAM', ['Driver', 'Config', 'Options'], value)
    listOf('IPAM Config', ipam['Config'])
    const reason = 'the service gives the addresses'
    const isOurs = isNothing(ipam['Driver']) || ipam['Driver'] === 'default'
    return [
      ...(isOurs ? [] : [{ field: 'IPAM Driver', reason, lifts: [] }]),
      ...(isNothing(ipam['Options']) ? [] : [{ field: 'IPAM Options', reason, lifts: [] }]),
    ]
  }
}

function reservedNames(): Check {
  return (value) =>
    ['bridge', 'default', 'host', 'none'].includes(String(value))
      ? [{ field: `Name ${String(value)}`, reason: 'it means something else to every client', lifts: [] }]
      : []
}
