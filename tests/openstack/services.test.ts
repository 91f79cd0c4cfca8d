import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import {
  allOf,
  bufferContent,
  firstOf,
  identityService,
  imageService,
  isOpenStackError,
  type NetworkService,
  networkService,
  orchestrationService,
  placementService,
  type Session,
} from '@gantry/openstack'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, type TestCloud, type TestProject, testCloud } from './fixtures/test-cloud.ts'

/** `packages/openstack` against the services themselves, not against what we believe of them. */

let cloud: TestCloud
let project: TestProject
let member: Session
const context = () => cloud.context()

beforeAll(async () => {
  cloud = await testCloud()
  project = await cloud.newProject()
  member = cloud.session(project.member)
})
afterAll(() => cloud?.[Symbol.asyncDispose]())

describe('Keystone', () => {
  test('a password gives a token with its roles and catalog, which the service user can validate and its owner revoke', async () => {
    const token = await member.token(context())
    const seen = await cloud.identity.validate(token, context(), { catalog: true })
    expect(seen).toMatchObject({
      project: { id: project.id, name: project.name },
      user: { name: project.member.username },
    })
    expect(seen?.roles?.map(({ name }) => name)).toEqual(expect.arrayContaining(['member', 'reader']))
    expect(seen?.catalog?.map(({ type }) => type)).toEqual(expect.arrayContaining(['identity', 'image', 'network']))

    const other = cloud.session(project.member)
    const gone = await other.token(context())
    expect(await identityService(other).revoke(gone, context())).toBe(true)
    expect(
      await eventually('the revocation', async () => (await cloud.identity.validate(gone, context())) === null),
    ).toBe(true)
    // The session logs in anew where its token is refused.
    expect((await allOf(networkService(other).networks.list({}, context()))).length).toBeGreaterThan(0)
    expect(await other.token(context())).not.toBe(gone)
  })

  test('an application credential, a trust and a token of a token each give a session for the project', async () => {
    const { user } = await member.info(context())
    const identity = identityService(member)
    const mine = identity.appCredentials(user.id)
    const made = await mine.create({ name: 'tests' }, context())
    const byApplication = cloud.cloud.session({
      kind: 'application-credential',
      id: made.id,
      secret: made.secret ?? '',
    })
    expect((await byApplication.info(context())).project?.id).toBe(project.id)
    const derived = cloud.cloud.session({
      kind: 'token',
      token: await member.token(context()),
      scope: { kind: 'project', project: { id: project.id } },
    })
    expect((await derived.info(context())).project?.id).toBe(project.id)
    expect((await allOf(mine.list({}, context()))).map(({ id }) => id)).toEqual([made.id])
    expect(await mine.remove(made.id, context())).toBe(true)
    expect(await mine.remove(made.id, context())).toBe(false)

    const trustee = await cloud.ensureUser(`${project.name}-reader`, project.name, ['reader'])
    const { user: trusted } = await cloud.session({ ...trustee, password: project.reader.password }).info(context())
    const trust = await identity.trusts.create(
      {
        trustor_user_id: user.id,
        trustee_user_id: trusted.id,
        project_id: project.id,
        impersonation: true,
        roles: [{ name: 'member' }],
      },
      context(),
    )
    const entrusted = cloud.cloud.session({
      kind: 'password',
      user: { id: trusted.id },
      password: project.reader.password,
      scope: { kind: 'trust', trustId: trust.id },
    })
    expect(await entrusted.info(context())).toMatchObject({ user: { id: user.id }, project: { id: project.id } })
    expect((await allOf(identity.trusts.list({ trustor_user_id: user.id }, context()))).length).toBe(1)
    expect(await identity.trusts.remove(trust.id, context())).toBe(true)
  })

  test('grants, own projects and every list of the directory can be read', async () => {
    const { user } = await member.info(context())
    const roles = await allOf(cloud.identity.grants({ projectId: project.id, userId: user.id }, context()))
    expect(roles.map(({ name }) => name)).toEqual(['member'])
    expect((await allOf(identityService(member).ownProjects(context()))).map(({ id }) => id)).toEqual([project.id])
    const { identity } = cloud
    expect((await allOf(identity.projects.list({}, context()))).map(({ name }) => name)).toContain(project.name)
    expect((await allOf(identity.domains.list({}, context()))).map(({ name }) => name)).toContain('Default')
    expect((await allOf(identity.services.list({}, context()))).map(({ type }) => type)).toContain('network')
    expect((await allOf(identity.endpoints.list({}, context()))).length).toBeGreaterThanOrEqual(9)
    expect((await allOf(identity.roles.list({}, context()))).map(({ name }) => name)).toContain('service')
    await expect(identity.projects.show('nowhere', context())).rejects.toSatisfy((error) =>
      isOpenStackError(error, 404),
    )
  })

  test('a wrong password is refused with a sentence that does not show it', async () => {
    const wrong = cloud.session({ ...project.member, password: 'not-her-password' })
    const error = await wrong.token(context()).catch((cause: unknown) => cause)
    expect(isOpenStackError(error, 401)).toBe(true)
    expect(String(error)).not.toContain('not-her-password')
  })
})

describe('Glance', () => {
  test('an image goes up, comes down byte for byte, is changed, tagged, shared and removed', async () => {
    const images = imageService(member)
    const content = randomBytes(5 << 20)
    const form = { container_format: 'docker', disk_format: 'raw', 'gantry:digest': 'sha256:00' } as const
    const { id, status } = await images.create({ name: 'bytes', ...form }, context())
    expect(status).toBe('queued')
    expect(await images.download(id, context())).toBeNull()
    await images.upload(id, bufferContent(content), context())
    const shown = await images.show(id, context())
    expect(shown).toMatchObject({
      status: 'active',
      size: content.length,
      owner: project.id,
      'gantry:digest': 'sha256:00',
    })
    const data = await images.download(id, context())
    if (!data) throw new Error('The image has no content.')
    expect(data.bytes).toBe(content.length)
    expect((await buffer(data.body)).equals(content)).toBe(true)

    const changes = [
      { op: 'replace', path: '/name', value: 'renamed' },
      { op: 'add', path: '/gantry:repo', value: 'team/app' },
      { op: 'remove', path: '/gantry:digest' },
      { op: 'replace', path: '/visibility', value: 'shared' },
    ] as const
    const changed = await images.update(id, changes, context())
    expect(changed).toMatchObject({ name: 'renamed', 'gantry:repo': 'team/app', visibility: 'shared' })
    expect(changed).not.toHaveProperty('gantry:digest')
    await images.addTag(id, 'one', context())
    expect((await images.show(id, context())).tags).toEqual(['one'])
    expect(await images.removeTag(id, 'one', context())).toBe(true)

    const other = await cloud.newProject()
    const theirs = imageService(cloud.session(other.member))
    await expect(theirs.show(id, context())).rejects.toSatisfy((error) => isOpenStackError(error, 404))
    expect(await images.members.add(id, other.id, context())).toMatchObject({ status: 'pending', member_id: other.id })
    await theirs.members.decide(id, other.id, 'accepted', context())
    expect((await theirs.show(id, context())).id).toBe(id)
    expect((await allOf(images.members.list(id, context()))).map(({ status: of }) => of)).toEqual(['accepted'])
    expect(await images.remove(id, context())).toBe(true)
    expect(await images.remove(id, context())).toBe(false)
  })

  test('a list goes on over its pages', async () => {
    const images = imageService(member)
    const names = ['a', 'b', 'c', 'd', 'e']
    for (const name of names) await images.create({ name, container_format: 'bare', disk_format: 'raw' }, context())
    const paged = await allOf(images.list({ limit: 2, owner: project.id, sort: 'name:asc' }, context()))
    expect(paged.map(({ name }) => name)).toEqual(names)
    for (const { id } of paged) await images.remove(id, context())
  })

  test('what only an administrator may do is refused as a 403', async () => {
    const form = { name: 'no', container_format: 'bare', disk_format: 'raw', visibility: 'public' } as const
    const error = await imageService(member)
      .create(form, context())
      .catch((cause: unknown) => cause)
    expect(isOpenStackError(error, 403)).toBe(true)
  })
})

describe('Neutron', () => {
  let network: NetworkService
  beforeAll(() => {
    network = networkService(member)
  })
  const newNet = async (name: string, cidr: string) => {
    const net = await network.networks.create({ name }, context())
    const subnet = await network.subnets.create(
      { network_id: net.id, ip_version: 4, cidr, enable_dhcp: false },
      context(),
    )
    return { net, subnet }
  }

  test('it can do what we rely on', async () => {
    const extensions = await network.extensions(context())
    for (const alias of ['binding', 'security-group', 'standard-attr-tag', 'floating-ip-port-forwarding', 'trunk']) {
      expect(extensions).toContain(alias)
    }
    const agents = await allOf(networkService(cloud.adminSession).agents.list({ host: cloud.hostName }, context()))
    expect(agents.filter(({ alive }) => alive).map(({ agent_type: type }) => type)).toContain('Linux bridge agent')
  })

  test('a port is made for a user, bound by an administrator, tagged, changed and removed', async () => {
    const { net, subnet } = await newNet('ports', '10.61.0.0/24')
    const port = await network.ports.create(
      {
        network_id: net.id,
        device_id: 'some-container',
        device_owner: 'compute:kuryr',
        fixed_ips: [{ subnet_id: subnet.id, ip_address: '10.61.0.61' }],
      },
      context(),
    )
    expect(port).toMatchObject({ status: 'DOWN', project_id: project.id, fixed_ips: [{ ip_address: '10.61.0.61' }] })
    expect(port.security_groups?.length).toBe(1)
    const admin = networkService(cloud.adminSession)
    const bound = await admin.ports.update(port.id, { 'binding:host_id': cloud.hostName }, context())
    expect(bound['binding:vif_type']).toBe('bridge')
    const lost = await admin.ports.update(port.id, { 'binding:host_id': 'no-such-host' }, context())
    expect(lost['binding:vif_type']).toBe('binding_failed')

    await network.addTag('ports', port.id, 'gantry:x', context())
    await network.replaceTags('ports', port.id, ['gantry', 'kuryr.net.uuid:1'], context())
    expect(await network.removeTag('ports', port.id, 'kuryr.net.uuid:1', context())).toBe(true)
    expect((await allOf(network.ports.list({ tags: 'gantry' }, context()))).map(({ id }) => id)).toEqual([port.id])
    // Each value of a list is a filter of its own, of which one must fit.
    const both = network.ports.list({ id: [port.id, 'none'] }, context())
    expect(await allOf(both)).toMatchObject([{ id: port.id }])
    const taken = { network_id: net.id, fixed_ips: [{ ip_address: '10.61.0.61' }] }
    await expect(network.ports.create(taken, context())).rejects.toSatisfy((error) => isOpenStackError(error, 409))
    expect(await network.ports.remove(port.id, context())).toBe(true)
    expect(await network.ports.remove(port.id, context())).toBe(false)
  })

  test('a list goes on over its pages', async () => {
    const { net } = await newNet('pages', '10.62.0.0/24')
    for (let at = 0; at < 5; at += 1) await network.ports.create({ network_id: net.id }, context())
    expect((await allOf(network.ports.list({ network_id: net.id, limit: 2 }, context()))).length).toBe(5)
  })

  test('groups and rules', async () => {
    const group = await network.securityGroups.create({ name: 'web' }, context())
    const rule = { security_group_id: group.id, direction: 'ingress', ethertype: 'IPv4', protocol: 'tcp' } as const
    const made = await network.securityGroupRules.create(
      { ...rule, port_range_min: 80, port_range_max: 81, remote_ip_prefix: '10.0.0.0/8' },
      context(),
    )
    expect(
      (await network.securityGroups.show(group.id, context())).security_group_rules?.map(({ id }) => id),
    ).toContain(made.id)
    await expect(
      network.securityGroupRules.create(
        { ...rule, port_range_min: 80, port_range_max: 81, remote_ip_prefix: '10.0.0.0/8' },
        context(),
      ),
    ).rejects.toSatisfy((error) => isOpenStackError(error, 409))
    expect(await network.securityGroupRules.remove(made.id, context())).toBe(true)
    expect(await network.securityGroups.remove(group.id, context())).toBe(true)
  })

  test('a router joins subnets and the outside; floating IPs and port forwardings lead to a port', async () => {
    const { net, subnet } = await newNet('routed', '10.63.0.0/24')
    const outside = await firstOf(network.networks.list({ 'router:external': true }, context()))
    if (!outside) throw new Error('There is no external network.')
    const router = await network.routers.create(
      { name: 'r', external_gateway_info: { network_id: outside.id } },
      context(),
    )
    await network.addInterface(router.id, { subnet_id: subnet.id }, context())
    const port = await network.ports.create({ network_id: net.id }, context())
    const address = port.fixed_ips?.[0]?.ip_address ?? ''

    const whole = await network.floatingIps.create({ floating_network_id: outside.id, port_id: port.id }, context())
    expect(whole).toMatchObject({ fixed_ip_address: address, router_id: router.id })
    expect((await network.floatingIps.update(whole.id, { port_id: null }, context())).port_id).toBeNull()
    expect(await network.floatingIps.remove(whole.id, context())).toBe(true)

    const shared = await network.floatingIps.create({ floating_network_id: outside.id }, context())
    const forwardings = network.portForwardings(shared.id)
    const inner = { protocol: 'tcp', internal_port_id: port.id, internal_ip_address: address }
    const forwarding = await forwardings.create({ ...inner, internal_port: 80, external_port: 8080 }, context())
    expect((await allOf(forwardings.list({}, context()))).map(({ id }) => id)).toEqual([forwarding.id])
    await expect(forwardings.create({ ...inner, internal_port: 81, external_port: 8080 }, context())).rejects.toSatisfy(
      (error) => isOpenStackError(error, 400) || isOpenStackError(error, 409),
    )
    expect((await forwardings.update(forwarding.id, { external_port: 8081 }, context())).external_port).toBe(8081)
    expect(await forwardings.remove(forwarding.id, context())).toBe(true)
    expect(await forwardings.remove(forwarding.id, context())).toBe(false)
    expect(await network.floatingIps.remove(shared.id, context())).toBe(true)
    expect(await network.removeInterface(router.id, { subnet_id: subnet.id }, context())).toBe(true)
    expect(await network.routers.remove(router.id, context())).toBe(true)
  })

  test('a trunk carries sub-ports', async () => {
    const { net } = await newNet('trunk', '10.64.0.0/24')
    const [parent, child] = [
      await network.ports.create({ network_id: net.id }, context()),
      await network.ports.create({ network_id: net.id }, context()),
    ]
    const trunk = await network.trunks.create({ port_id: parent.id, name: 'vm' }, context())
    const sub = { port_id: child.id, segmentation_type: 'vlan', segmentation_id: 101 }
    await network.addSubPorts(trunk.id, [sub], context())
    expect((await network.trunks.show(trunk.id, context())).sub_ports).toMatchObject([sub])
    expect((await allOf(network.trunks.list({ port_id: parent.id }, context()))).map(({ id }) => id)).toEqual([
      trunk.id,
    ])
    await network.removeSubPorts(trunk.id, [child.id], context())
    expect((await network.trunks.show(trunk.id, context())).sub_ports).toEqual([])
    expect(await network.trunks.remove(trunk.id, context())).toBe(true)
  })

  test('a quota that is used up is refused, and can be read', async () => {
    const tight = await cloud.newProject()
    const admin = networkService(cloud.adminSession)
    await admin.setQuota(tight.id, { port: 0 }, context())
    expect((await admin.quota(tight.id, context()))['port']).toMatchObject({ limit: 0, used: 0 })
    const theirs = networkService(cloud.session(tight.member))
    const net = await theirs.networks.create({ name: 'tight' }, context())
    const error = await theirs.ports.create({ network_id: net.id }, context()).catch((cause: unknown) => cause)
    expect(isOpenStackError(error, 409)).toBe(true)
  })

  test('subnet pools give subnets, of IPv6 as well', async () => {
    const pool = await network.subnetPools.create(
      { name: 'six', prefixes: ['fd12:3456::/56'], default_prefixlen: 64 },
      context(),
    )
    const net = await network.networks.create({ name: 'six' }, context())
    const subnet = await network.subnets.create(
      { network_id: net.id, ip_version: 6, subnetpool_id: pool.id, ipv6_address_mode: 'slaac', ipv6_ra_mode: 'slaac' },
      context(),
    )
    expect(subnet).toMatchObject({ subnetpool_id: pool.id, ip_version: 6 })
    expect(await network.networks.remove(net.id, context())).toBe(true)
    expect(await network.subnetPools.remove(pool.id, context())).toBe(true)
  })
})

describe('Heat', () => {
  test('a stack is made, changed, shown and removed', async () => {
    const heat = orchestrationService(member)
    const template = (length: number) => ({
      heat_template_version: '2018-08-31',
      resources: { text: { type: 'OS::Heat::RandomString', properties: { length } } },
      outputs: { text: { value: { get_attr: ['text', 'value'] } } },
    })
    const stack = await heat.create({ stack_name: 'tests', template: template(10) }, context())
    const reaches = (status: string) =>
      eventually(status, async () => {
        const shown = await heat.show(stack, context())
        return shown.stack_status === status && shown
      })
    expect((await reaches('CREATE_COMPLETE')).outputs?.[0]?.output_value).toHaveLength(10)
    await heat.update(stack, { template: template(12) }, context())
    expect((await reaches('UPDATE_COMPLETE')).outputs?.[0]?.output_value).toHaveLength(12)
    expect(await allOf(heat.resources(stack, context()))).toMatchObject([{ resource_name: 'text' }])
    expect((await allOf(heat.list({}, context()))).map(({ id }) => id)).toContain(stack.id)
    expect(await heat.remove(stack, context())).toBe(true)
    await reaches('DELETE_COMPLETE')
  })
})

test('Placement, if this cloud has it, shows its providers', async (it) => {
  const there = await firstOf(cloud.identity.services.list({ type: 'placement' }, context()))
  it.skip(!there, 'cloud up … placement')
  const placement = placementService(cloud.adminSession)
  for (const { uuid } of await allOf(placement.providers({}, context()))) {
    expect(await placement.inventories(uuid, context())).toBeTypeOf('object')
  }
})
