/**
 * Hosts of a real Nova's servers, whose hypervisor makes believe: what they would boot is read from their user data. Left out where the
 * cloud has no Nova, as in CI; TESTCLOUD_SERVICES='keystone glance placement neutron nova' npm run test:openstack has one.
 */
import { randomUUID } from 'node:crypto'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Boot } from '@gantry/control'
import { randomIds, systemClock } from '@gantry/kernel'
import type { InstanceId } from '@gantry/model'
import { allOf, bufferContent, computeService, imageService, networkService } from '@gantry/openstack'
import { novaCompute, openAccess, readNovaSettings } from '@gantry/providers-openstack'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { eventually, testCloud } from './fixtures/test-cloud.ts'

const silent = { info() {}, warn() {}, error() {} }

describe('servers of Nova as hosts on demand', () => {
  test('one has our marks and its token, is found by them, and goes; what is not ours is not touched', async () => {
    await using cloud = await testCloud()
    const project = await cloud.newProject()
    const context = cloud.context
    const signal = AbortSignal.timeout(100_000)
    const session = cloud.session(project.member)
    const nova = computeService(session)
    const images = imageService(session)
    const network = networkService(session)
    // Nova boots from images only where the flavor has a disk.
    const wishes = ['--vcpus', '1', '--ram', '64', '--disk', '1']
    await cloud.openstack(cloud.admin, 'flavor', 'create', ...wishes, `host-${project.name}`)
    const flavors = (await allOf(nova.flavors.list({}, context()))).filter(({ disk }) => disk > 0)
    const image = await images.create({ name: 'host', container_format: 'bare', disk_format: 'raw' }, context())
    await images.upload(image.id, bufferContent(Buffer.alloc(1024)), context())
    const net = await network.networks.create({ name: 'hosts' }, context())
    await network.subnets.create(
      { network_id: net.id, ip_version: 4, cidr: '10.99.0.0/24', enable_dhcp: false },
      context(),
    )
    const folder = await mkdtemp(join(tmpdir(), 'gantry-nova-'))
    const file = join(folder, 'compute.yaml')
    const { username, password, project: project_name } = project.member
    const auth = { auth_url: cloud.authUrl, username, password, project_name }
    const servers = { flavor: flavors[0]?.name, image: image.id, networks: [net.id], join: ['10.0.0.11:9702'] }
    await writeFile(file, JSON.stringify({ auth, region_name: cloud.region, servers }))
    await chmod(file, 0o600)
    const settings = await readNovaSettings(file)
    await using access = await openAccess(settings.cloud, { clock: systemClock, ids: randomIds, log: silent })
    const deployment = randomUUID()
    const provider = novaCompute({ access, servers: settings.servers, deployment })
    try {
      expect(await provider.size(signal)).toMatchObject({ cpus: flavors[0]?.vcpus, memory: flavors[0]?.ram })
      const plain = { flavorRef: flavors[0]?.id ?? '', imageRef: image.id, networks: [{ uuid: net.id }] }
      // Of the user, and of another deployment: alike in all but the marks.
      const foreign = await nova.servers.create({ ...plain, name: 'gantry-mine' }, context())
      const metadata = { gantry_deployment: randomUUID(), gantry_instance: randomUUID() }
      const other = await nova.servers.create({ ...plain, name: 'gantry-other', metadata }, context())

      const boot = aBoot()
      const id = await provider.create(boot, signal)
      expect(await provider.list(signal)).toEqual([
        { providerId: id, id: boot.id, tokenId: boot.tokenId, problem: null },
      ])
      const [[data = ''] = []] = await cloud.sql('nova', `SELECT user_data FROM instances WHERE uuid = '${id}'`)
      const told = Buffer.from(data, 'base64').toString()
      expect(told.split('\n', 1)).toEqual(['#cloud-config'])
      const { write_files: files } = parse(told) as { write_files: { path: string; content: string }[] }
      expect(files[0]?.content.trim()).toBe(boot.token)
      expect(files[1]?.content).toContain(
        `--join 10.0.0.11:9702 --name ${boot.name} --token-file /etc/gantry/join-token`,
      )

      for (const each of [foreign.id, other.id, id]) await provider.delete(each, signal)
      expect(await provider.list(signal)).toEqual([])
      const left = (await allOf(nova.servers.list({}, context()))).map((server) => server.id)
      expect(left.sort()).toEqual([foreign.id, other.id].sort())
      // It is gone; so nothing is to be done.
      await provider.delete(id, signal)

      const tooMany = provider.create({ ...aBoot(), name: 'gantry-x' }, AbortSignal.timeout(1))
      await expect(tooMany).rejects.toThrow()
      const wrong = novaCompute({ access, servers: { ...settings.servers, image: randomUUID() }, deployment })
      await expect(wrong.create(aBoot(), signal)).rejects.toMatchObject({ code: 'compute.refused' })
    } finally {
      for (const server of await allOf(nova.servers.list({}, context())))
        await nova.servers.remove(server.id, context())
      // Their network is in use until then.
      await eventually(
        'the servers to be gone',
        async () => (await allOf(nova.servers.list({}, context()))).length === 0,
      )
      await rm(folder, { recursive: true, force: true })
    }
  }, 120_000)
})

function aBoot(): Boot {
  const id = randomUUID() as InstanceId
  const name = `gantry-${id.slice(0, 8)}`
  const labels = { 'gantry.containers': '10' }
  return { id, name, projectId: null, token: `gj1.secret-of-${id}`, tokenId: `i-${id.slice(0, 12)}`, labels }
}
