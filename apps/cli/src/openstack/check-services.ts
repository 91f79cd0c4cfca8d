import type { HostView } from '@gantry/facade-native'
import { kinds, networkService } from '@gantry/openstack'
import { createApi } from '../client/api.ts'
import { readCa } from '../client/credentials.ts'
import type { AdminCloud } from './admin-cloud.ts'
import { bad, type Finding, note, ok, sentence } from './finding.ts'

/** Neutron's words, what of Gantry needs it, and whether all of Gantry does. */
const extensions = [
  { alias: 'binding', vital: true, use: 'to plug ports' },
  { alias: 'security-group', vital: true, use: 'to filter traffic' },
  { alias: 'router', vital: false, use: 'for routers and floating IPs' },
  { alias: 'standard-attr-tag', vital: false, use: 'for the labels of Docker networks and for gantry kuryr' },
  { alias: 'floating-ip-port-forwarding', vital: false, use: 'for published ports (-p)' },
  { alias: 'trunk', vital: false, use: 'for hosts that are VMs, with --nested vlan' },
  { alias: 'allowed-address-pairs', vital: false, use: 'for hosts that are VMs, with --nested macvlan' },
] as const

/** That Glance takes the images of containers. */
export async function imageFindings({ session, context }: AdminCloud): Promise<Finding[]> {
  const url = await session.endpoint(kinds.image, context())
  const { body } = await session.ask(kinds.image, { method: 'GET', path: '/schemas/image' }, context())
  const schema = JSON.parse(body.toString('utf8')) as {
    properties?: Record<string, { enum?: readonly (string | null)[] } | undefined>
  }
  const takes = (property: string, value: string) => schema.properties?.[property]?.enum?.includes(value) ?? true
  const lacking = [
    ...(takes('container_format', 'docker') ? [] : ['container_formats = …,docker']),
    ...(takes('disk_format', 'raw') ? [] : ['disk_formats = …,raw']),
  ]
  const found = ok(`Glance at ${url.href}`)
  if (lacking.length === 0) return [found, ok('Glance takes images of containers')]
  return [
    found,
    bad(`Glance takes no images of containers: set ${lacking.join(' and ')} in [image_format] of glance-api.conf.`),
  ]
}

export async function neutronFindings({ session, context }: AdminCloud): Promise<Finding[]> {
  const url = await session.endpoint(kinds.network, context())
  const neutron = networkService(session)
  const there = await neutron.extensions(context())
  const lacking = extensions.filter(({ alias }) => !there.has(alias))
  const found = [ok(`Neutron at ${url.href}`)]
  if (lacking.length === 0) found.push(ok('Neutron has all the extensions that are used'))
  for (const { alias, vital, use } of lacking) {
    const text = `Neutron lacks the extension ${alias}, needed ${use}: enable it among its service_plugins.`
    found.push(vital ? bad(text) : note(text))
  }
  let external: string | undefined
  for await (const { name } of neutron.networks.list({ 'router:external': true }, context())) external ??= name
  found.push(
    external === undefined
      ? note('There is no external network, so containers get no floating IPs: openstack network create --external …')
      : ok(`The external network is ${external}`),
  )
  return found
}

/** That the catalog leads to a Gantry that runs and honours this cloud's tokens; with its hosts if so. `onDemand`: none is as good. */
export async function ownFindings(
  { session, settings, context }: AdminCloud,
  onDemand: boolean,
): Promise<{ findings: Finding[]; hosts: readonly HostView[] | null }> {
  const { catalog = [] } = await session.info(context())
  const endpoint = catalog
    .find(({ type }) => type === 'container')
    ?.endpoints.find(
      ({ interface: kind, region_id: region }) =>
        kind === settings.interface && (settings.region === undefined || region === settings.region),
    )
  if (!endpoint) {
    const text = `The catalog has no ${settings.interface} endpoint of type container here: run gantry openstack register --url ….`
    return { findings: [bad(text)], hosts: null }
  }
  const { origin } = new URL(endpoint.url)
  const ca = settings.caFile === undefined ? undefined : await readCa(settings.caFile)
  const api = await createApi({ url: origin, ca }, await session.token(context()))
  try {
    const hosts = await api.hosts()
    const connected = hosts.filter((host) => host.connected).length
    const findings = [ok(`The catalog leads to ${endpoint.url}, where Gantry answers`)]
    findings.push(
      connected > 0 || onDemand
        ? ok(`${connected} of ${hosts.length} hosts are connected`)
        : bad('No host is connected: gantry hosts join-token says how to add one.'),
    )
    return { findings, hosts }
  } catch (error) {
    const text =
      `Gantry does not answer as it should at ${endpoint.url}, where the catalog says it is (${sentence(error)}) ` +
      'Is the server running, with this openstack.yaml? If it is elsewhere, run gantry openstack register --url … again.'
    return { findings: [bad(text)], hosts: null }
  } finally {
    api.close()
  }
}

/** Optional: only where the cloud has Heat. */
export async function heatFindings({ session, context }: AdminCloud): Promise<Finding[]> {
  const { catalog = [] } = await session.info(context())
  if (!catalog.some(({ type }) => type === 'orchestration')) return [ok('The cloud has no Heat')]
  const { body } = await session.ask(kinds.orchestration, { method: 'GET', path: '/resource_types' }, context())
  if (body.toString('utf8').includes('OS::Zun::Container')) return [ok('Heat offers OS::Zun::Container')]
  return [
    note(
      'Heat does not offer OS::Zun::Container: install python3-zunclient where heat-engine runs and restart it; the service ' +
        'container must be in the catalog.',
    ),
  ]
}
