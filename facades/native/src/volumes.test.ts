import { describe, expect, test } from 'vitest'
import { type ServedCloud, serveFakeCloud } from './testing/index.ts'

async function ask(cloud: ServedCloud, method: string, path: string, body?: unknown, token = 'demo-token') {
  const headers = { 'x-auth-token': token, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
  const response = await fetch(`http://127.0.0.1:${cloud.port}/v1${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
}

describe('a volume', () => {
  test('says what keeps it, what it began with, and nothing of hosts to a tenant', async () => {
    await using cloud = await serveFakeCloud()
    const { status, body } = await ask(cloud, 'POST', '/volumes', { name: 'data', size: 3 })
    expect(status).toBe(202)
    expect(body).toEqual({
      id: expect.any(String),
      projectId: 'project-demo',
      userId: 'user-demo',
      name: 'data',
      size: 3,
      status: 'available',
      statusReason: null,
      backend: 'local',
      volumeType: null,
      multiattach: false,
      shared: false,
      hostId: null,
      host: null,
      containerId: null,
      mounts: [],
      snapshotId: null,
      sourceVolumeId: null,
      ephemeral: false,
      createdAt: '1970-01-01T00:00:00.000Z',
    })
    const there = await ask(cloud, 'GET', `/volumes/${body.id}`, undefined, 'admin-token')
    expect(there.body).toMatchObject({ hostId: 'h1', host: 'host-1' })
    const all = await ask(cloud, 'GET', '/volumes?allProjects', undefined, 'admin-token')
    expect(all.body.volumes).toMatchObject([{ name: 'data', host: 'host-1' }])
  })

  test('of another service is asked for by its service, type and more', async () => {
    await using cloud = await serveFakeCloud()
    const asked = { backend: 'cinder', type: 'fast', multiattach: true, availabilityZone: 'nova', fsType: 'xfs' }
    const { body } = await ask(cloud, 'POST', '/volumes', { name: 'data', size: 1, description: 'Mine', ...asked })
    expect(body).toMatchObject({ backend: 'cinder', volumeType: 'fast', multiattach: true })
  })

  test('begins with a snapshot, another volume or a backup, as large as that is', async () => {
    await using cloud = await serveFakeCloud()
    const { body: volume } = await ask(cloud, 'POST', '/volumes', { name: 'data', size: 3 })
    const kept = await ask(cloud, 'POST', '/snapshots', { volume: 'data', name: 'before' })
    expect(kept).toMatchObject({ status: 202, body: { volumeId: volume.id, size: 3 } })
    const backup = await ask(cloud, 'POST', '/backups', { volume: 'data', name: 'away' })
    expect(backup).toMatchObject({ status: 202, body: { volumeId: volume.id, size: 3, status: 'available' } })
    expect(backup.headers.get('location')).toBe(`/v1/backups/${backup.body.id}`)
    expect((await ask(cloud, 'GET', '/snapshots')).body.snapshots).toHaveLength(1)
    expect((await ask(cloud, 'GET', '/backups')).body.backups).toEqual([backup.body])
    expect((await ask(cloud, 'GET', '/backups/away')).body).toEqual(backup.body)
    const copies = [{ snapshot: 'before' }, { volume: 'data' }, { backup: 'away' }]
    for (const [index, from] of copies.entries()) {
      const copy = await ask(cloud, 'POST', '/volumes', { name: `copy-${index}`, ...from })
      expect(copy, JSON.stringify(from)).toMatchObject({ status: 202, body: { size: 3 } })
    }
    expect((await ask(cloud, 'GET', '/volumes/copy-0')).body.snapshotId).toBe(kept.body.id)
    expect((await ask(cloud, 'GET', '/volumes/copy-1')).body.sourceVolumeId).toBe(volume.id)
    expect((await ask(cloud, 'DELETE', '/snapshots/before')).status).toBe(202)
    expect((await ask(cloud, 'DELETE', '/backups/away')).status).toBe(202)
    expect((await ask(cloud, 'GET', '/backups/away')).status).toBe(404)
    expect((await ask(cloud, 'DELETE', '/volumes/copy-0')).status).toBe(202)
  })

  test('is renamed and grows, in one request or two', async () => {
    await using cloud = await serveFakeCloud()
    const { body } = await ask(cloud, 'POST', '/volumes', { name: 'data', size: 3 })
    expect((await ask(cloud, 'PATCH', '/volumes/data', { size: 5 })).body).toMatchObject({ name: 'data', size: 5 })
    expect((await ask(cloud, 'PATCH', '/volumes/data', { name: 'old', size: 6 })).status).toBe(200)
    expect((await ask(cloud, 'GET', '/volumes/old')).body).toMatchObject({ id: body.id, size: 6 })
    expect((await ask(cloud, 'PATCH', '/volumes/old', { name: 'new', size: 6 })).status).toBe(400)
    expect((await ask(cloud, 'GET', '/volumes/old')).status).toBe(200)
  })

  test('tells every container that has it, also those in capsules', async () => {
    await using cloud = await serveFakeCloud()
    await ask(cloud, 'POST', '/volumes', { name: 'data', size: 1 })
    await ask(cloud, 'POST', '/volumes', { name: 'more', size: 1 })
    const mounts = [{ source: 'data', destination: '/srv', readOnly: true }]
    const { body: web } = await ask(cloud, 'POST', '/containers', { image: 'nginx', name: 'web', mounts })
    const volumes = [{ name: 'm', cinder: { volumeID: 'more' } }]
    const containers = [{ image: 'nginx', volumeMounts: [{ name: 'm', mountPath: '/more' }] }]
    const capsule = await ask(cloud, 'POST', '/capsules', { template: { spec: { containers, volumes } } })
    const data = await ask(cloud, 'GET', '/volumes/data')
    expect(data.body).toMatchObject({
      status: 'in-use',
      mounts: [{ containerId: web.id, containerName: 'web', destination: '/srv', readOnly: true }],
    })
    const { body } = await ask(cloud, 'GET', '/volumes')
    expect(body.volumes).toMatchObject([
      { name: 'data', mounts: [{ containerId: web.id }] },
      { name: 'more', mounts: [{ containerId: capsule.body.containers[0].id, destination: '/more' }] },
    ])
    expect((await ask(cloud, 'DELETE', '/volumes/data')).status).toBe(409)
    const seen = await ask(cloud, 'GET', `/volumes/${data.body.id}`, undefined, 'admin-token')
    expect(seen.body.mounts).toHaveLength(1)
  })

  test('and its backups are hidden from other projects', async () => {
    await using cloud = await serveFakeCloud()
    await ask(cloud, 'POST', '/volumes', { name: 'data', size: 1 })
    await ask(cloud, 'POST', '/backups', { volume: 'data', name: 'away' })
    const other = 'other-token'
    for (const path of ['/volumes/data', '/backups/away']) {
      expect((await ask(cloud, 'GET', path, undefined, other)).status).toBe(404)
      expect((await ask(cloud, 'DELETE', path, undefined, other)).status).toBe(404)
    }
    expect((await ask(cloud, 'GET', '/backups', undefined, other)).body.backups).toEqual([])
    expect((await ask(cloud, 'PATCH', '/volumes/data', { size: 9 }, other)).status).toBe(404)
    expect((await ask(cloud, 'POST', '/volumes', { name: 'v', volume: 'data' }, other)).status).toBe(404)
    expect((await ask(cloud, 'POST', '/backups', { volume: 'data' }, other)).status).toBe(404)
  })

  test.each([
    ['POST', '/volumes', { name: 'v', size: 1, backend: 'floppy' }],
    ['POST', '/volumes', { name: 'v', size: 1, multiattach: 'yes' }],
    ['POST', '/volumes', { name: 'v', size: 1, fsType: 'ext4 -F' }],
    ['POST', '/volumes', { name: 'v', size: 1, frob: 1 }],
    ['PATCH', '/volumes/data', {}],
    ['PATCH', '/volumes/data', { size: 0 }],
    ['PATCH', '/volumes/data', { size: '2' }],
    ['POST', '/backups', { name: 'b' }],
    ['POST', '/backups', { volume: 'data', size: 2 }],
  ])('%s %s %j is refused', async (method, path, body) => {
    await using cloud = await serveFakeCloud()
    await ask(cloud, 'POST', '/volumes', { name: 'data', size: 1 })
    expect((await ask(cloud, method, path, body)).status).toBe(400)
  })
})
