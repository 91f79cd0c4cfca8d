import {
  computeService,
  type Flavor,
  imageService,
  isOpenStackError,
  kinds,
  networkService,
  allOf,
} from '@gantry/openstack'
import { type NovaServers, type NovaSettings, readNovaSettings } from '@gantry/providers-openstack/compute-settings'
import { type AdminCloud, openAdmin } from './admin-cloud.ts'
import { bad, type Finding, finding, note, ok, sentence } from './finding.ts'

const page = 'docs/operate/hosts-on-demand.md shows what it must say.'

/** That the user in `file` can make the servers of Nova's that it describes. Makes none. */
export async function computeFindings(file: string): Promise<readonly Finding[]> {
  let read: NovaSettings
  try {
    read = await readNovaSettings(file)
  } catch (error) {
    return [bad(sentence(error))]
  }
  await using own = await openAdmin(read.cloud)
  const { servers } = read
  const nova = await finding(
    () => novaFindings(own, servers),
    `Can the user in ${file} log in, and has the cloud a Nova? ${page}`,
  )
  if (nova.some(({ state }) => state === 'bad')) return nova
  const others = await Promise.all([
    finding(() => imageFinding(own, servers)),
    ...(servers.networks === 'auto' ? [] : servers.networks.map((id) => finding(() => networkFinding(own, id)))),
  ])
  return [...nova, ...others.flat()]
}

async function novaFindings({ session, context }: AdminCloud, { flavor }: NovaServers): Promise<Finding[]> {
  const url = await session.endpoint(kinds.compute, context())
  const nova = computeService(session)
  const { user, project } = await session.info(context())
  const whose = `${user.name ?? user.id}'s hosts on demand are servers of project ${project?.name ?? '(none)'}`
  const flavors = await allOf(nova.flavors.list({}, context()))
  const { maxTotalInstances: most, totalInstancesUsed: used } = await nova.limits(context())
  return [
    ok(`Nova at ${url.href}: ${whose}`),
    flavorFinding(flavors, flavor),
    most < 0 || used < most
      ? ok(
          `Nova lets the project have ${most < 0 ? 'any number of servers' : `${most} servers, of which ${used} are there`}`,
        )
      : note(
          `The project has all ${most} servers that its quota at Nova lets it have: raise it, or no host will be made.`,
        ),
  ]
}

function flavorFinding(flavors: readonly Flavor[], asked: string): Finding {
  const found = flavors.find(({ id, name }) => id === asked || name === asked)
  if (found)
    return ok(`Flavor ${found.name}: ${found.vcpus} cores, ${found.ram} MiB of memory, ${found.disk} GiB of disk`)
  const there = flavors.map(({ name }) => name).join(', ') || 'none'
  return bad(`Nova has no flavor ${asked} for hosts on demand; it has: ${there}.`)
}

async function imageFinding({ session, context }: AdminCloud, { image: id }: NovaServers): Promise<Finding> {
  const image = await unlessGone(imageService(session).show(id, context()))
  if (!image)
    return bad(
      `Glance shows this user no image ${id} for hosts on demand: is it the id, and is it shared with the project?`,
    )
  const named = `Image ${image.name ?? id}`
  return image.status === 'active'
    ? ok(`${named} is there for hosts on demand`)
    : bad(`${named} for hosts on demand is ${image.status} and not active: upload it.`)
}

async function networkFinding({ session, context }: AdminCloud, id: string): Promise<Finding> {
  const network = await unlessGone(networkService(session).networks.show(id, context()))
  if (!network)
    return bad(
      `Neutron shows this user no network ${id} for hosts on demand: is it the id, and is it shared with the project?`,
    )
  return ok(`Network ${network.name || id} is there for hosts on demand`)
}

async function unlessGone<T>(asking: Promise<T>): Promise<T | null> {
  return await asking.catch((error: unknown) => {
    if (isOpenStackError(error, 404)) return null
    throw error
  })
}
