import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { allOf, kinds, networkService, type VolumeService, volumeService } from '@gantry/openstack'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Session } from '../fixtures/gantry.ts'
import { type GantryOnCloud, gantryOnCloud } from './fixtures/gantry-on-cloud.ts'
import { eventually, type TestCloud, type TestProject, testCloud } from './fixtures/test-cloud.ts'

/** Containers with volumes of a real Cinder, on a real engine: their data, and what is left when something dies. */

const run = promisify(execFile)

let cloud: TestCloud
let gantry: GantryOnCloud
let project: TestProject
let member: Session
let cinder: VolumeService
let networkId: string
const context = () => cloud.context()

beforeAll(async () => {
  cloud = await testCloud()
  gantry = await gantryOnCloud(cloud)
  project = await cloud.newProject()
  member = await gantry.as(project.member)
  cinder = volumeService(cloud.adminSession)
  const network = networkService(cloud.session(project.member))
  networkId = (await network.networks.create({ name: 'volumes' }, context())).id
  const subnet = { network_id: networkId, ip_version: 4, cidr: '10.68.0.0/24', enable_dhcp: false } as const
  await network.subnets.create(subnet, context())
  const quota = { method: 'PUT', path: `/os-quota-sets/${project.id}`, json: { quota_set: { volumes: 40 } } } as const
  await cloud.adminSession.ask(kinds.volume, quota, context())
})
afterAll(async () => {
  await gantry?.[Symbol.asyncDispose]()
  await cloud?.[Symbol.asyncDispose]()
})

interface Mounted {
  readonly source?: string
  readonly size?: string
  readonly destination: string
}

/** Ends when it is asked to, not ten seconds later. */
const command = ['sh', '-c', 'trap exit TERM; sleep 100000 & wait']

const create = (name: string, mounts: readonly Mounted[]) =>
  member.zun('POST', '/containers?run=true', {
    name,
    image: gantry.busyboxId,
    command,
    cpu: 0.1,
    memory: '32',
    nets: [{ network: networkId }],
    mounts,
  })

async function started(name: string, mounts: readonly Mounted[]): Promise<void> {
  const made = await create(name, mounts)
  expect(made.status, made.text).toBe(202)
  const shown = await member.waitFor(name, ({ status }) => status !== 'Creating')
  expect(shown.status, `${shown.status_reason} ${await gantry.logs()}`).toBe('Running')
}

async function shell(name: string, line: string): Promise<string> {
  const command = encodeURIComponent(`sh -c "${line}"`)
  const { json, text } = await member.zun('POST', `/containers/${name}/execute?command=${command}&run=true`)
  const { exit_code: code, output } = json as unknown as { exit_code: number; output: string }
  expect(code, text).toBe(0)
  return output.trim()
}

async function removed(name: string): Promise<void> {
  const { status, text } = await member.zun('DELETE', `/containers/${name}?stop=true`)
  expect(status, text).toBe(204)
  await isGone(name)
}
const isGone = (name: string) =>
  eventually(`${name} to be gone`, async () => (await member.zun('GET', `/containers/${name}`)).status === 404, 90)

const volumes = () => allOf(cinder.volumes.list({ all_tenants: true, project_id: project.id }, context()))
const statusOf = async (id: string) => (await cinder.volumes.show(id, context())).status

async function aVolume(name: string): Promise<string> {
  const made = await member.native('POST', '/volumes', { name, size: 1 })
  expect(made.status, made.text).toBeLessThan(300)
  const { id } = made.json as unknown as { id: string }
  await eventually('the volume', async () => (await statusOf(id)) === 'available')
  return id
}

/** Nothing of Cinder's is mounted or looped by anybody; the machine's other mounts are none of ours. */
async function expectNoDevices(): Promise<void> {
  await eventually('the end of mounts and loop devices', async () => {
    const { stdout } = await run('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE'])
    const loops = stdout.split('\n').filter((line) => line.includes('/cinder/'))
    const mine = new Set((await volumes()).map(({ id }) => `volume-${id}`))
    if (!loops.some((file) => [...mine].some((name) => file.includes(name)))) return true
    throw new Error(loops.join(' '))
  })
}

test('what is written to a volume is there for the next container, which is told who has it until then', async () => {
  const id = await aVolume('files')
  await started('one', [{ source: 'files', destination: '/data' }])
  await shell('one', 'echo kept > /data/f; sync')
  expect(await shell('one', 'grep -c ext4 /proc/mounts')).not.toBe('0')
  await eventually('in-use', async () => (await statusOf(id)) === 'in-use')
  const second = await create('two', [{ source: id, destination: '/data' }])
  expect([400, 409]).toContain(second.status)
  expect(second.text).toContain('is in use')
  await removed('one')
  // Not a moment later: whoever waited for the container may use the volume.
  expect(await statusOf(id)).toBe('available')
  await started('two', [{ source: id, destination: '/data' }])
  expect(await shell('two', 'cat /data/f')).toBe('kept')
  await gantry.agent.kill9()
  await gantry.server.kill9()
  await gantry.server.start()
  await gantry.agent.start()
  await eventually('its host', async () => (await shell('two', 'cat /data/f').catch(() => '')) === 'kept')
  const reader = await gantry.as(project.reader)
  const body = { image: gantry.busyboxId, mounts: [{ source: 'files', destination: '/data' }] }
  expect((await reader.zun('POST', '/containers', body)).status).toBe(403)
  expect((await reader.native('GET', '/volumes/files')).status).toBe(200)
  for (const [method, path] of [
    ['POST', '/volumes'],
    ['DELETE', '/volumes/files'],
  ] as const) {
    expect((await reader.native(method, path, method === 'POST' ? { name: 'no', size: 1 } : undefined)).status).toBe(
      403,
    )
  }
  await removed('two')
  expect(await statusOf(id)).toBe('available')
  await expectNoDevices()
})

test('a volume by size goes with its container', async () => {
  await started('sized', [{ size: '1', destination: '/data' }])
  await shell('sized', 'echo 1 > /data/f')
  const [own] = (await volumes()).filter(({ metadata }) => metadata?.['gantry_container'] !== undefined)
  expect(own).toMatchObject({ size: 1 })
  await removed('sized')
  await eventually('the volume gone', async () => (await volumes()).every(({ id }) => id !== own?.id))
})

test('a shared volume of Docker’s is written by two containers on one host', async () => {
  const docker = async (...args: string[]) => {
    const { code, stdout, stderr } = await gantry.docker(args, { session: member })
    expect(code, `docker ${args.join(' ')}: ${stderr}`).toBe(0)
    return stdout.trim()
  }
  await docker('volume', 'create', '--opt', 'size=1', 'both')
  const mount = ['--network', 'none', '-v', 'both:/data', 'busybox:latest']
  await docker('run', '-d', '--name', 'left', ...mount, 'sh', '-c', 'echo left > /data/left; sleep 1000')
  await docker('run', '-d', '--name', 'right', ...mount, 'sh', '-c', 'echo right > /data/right; sleep 1000')
  await eventually(
    'both files',
    async () => (await docker('exec', 'left', 'cat', '/data/left', '/data/right')) === 'left\nright',
  )
  await docker('rm', '-f', 'left')
  expect(await docker('exec', 'right', 'cat', '/data/left')).toBe('left')
  await docker('rm', '-f', 'right')
  await docker('volume', 'rm', 'both')
  await expectNoDevices()
})

test('containers of a capsule share a new volume and one by name, at the same places', async () => {
  const id = await aVolume('named')
  const shell_ = (line: string) => ['sh', '-c', `${line}; trap exit TERM; sleep 1000 & wait`]
  const image = gantry.busyboxId
  const both = (readOnly: boolean) => [
    { name: 'fresh', mountPath: '/data', readOnly },
    { name: 'named', mountPath: '/named' },
  ]
  const template = {
    metadata: { name: 'pod' },
    spec: {
      containers: [
        { image, command: shell_('echo both > /data/f; echo x > /named/x'), volumeMounts: both(false) },
        { image, command: shell_('until cat /data/f; do sleep 1; done'), volumeMounts: both(true) },
      ],
      volumes: [
        { name: 'fresh', cinder: { size: 1, autoRemove: true } },
        { name: 'named', cinder: { volumeID: id } },
      ],
      nets: [{ network: networkId }],
    },
  }
  const made = await member.native('POST', '/capsules', { template })
  expect(made.status, made.text).toBe(202)
  await eventually(
    'the capsule to run',
    async () => {
      const { json, text } = await member.native('GET', '/capsules/pod')
      if ((json as { status: string }).status === 'Running') return true
      throw new Error(text)
    },
    120,
  )
  const fresh = (await volumes()).find(({ metadata }) => metadata?.['gantry_container'] !== undefined)
  await eventually('both in use', async () =>
    [await statusOf(id), await statusOf(fresh?.id ?? '')].every((status) => status === 'in-use'),
  )
  await member.native('DELETE', '/capsules/pod')
  await eventually('one gone, one free', async () => {
    const left = await volumes()
    return left.every((volume) => volume.id !== fresh?.id) && (await statusOf(id)) === 'available'
  })
  await expectNoDevices()
})

test('without Cinder: what runs goes on, what needs it is refused with 503 or waits, and nothing is left over', async () => {
  const id = await aVolume('steady')
  await started('steady', [{ source: 'steady', destination: '/data' }])
  await shell('steady', 'echo safe > /data/f; sync')
  await cloud.kill9('cinder-api')
  try {
    for (const mount of [
      { size: '1', destination: '/data' },
      { source: 'steady', destination: '/data' },
    ]) {
      const refused = await create('refused', [mount])
      expect(refused.status, refused.text).toBe(503)
      expect(refused.text).toContain('The volume service cannot be used at the moment')
    }
    expect(await shell('steady', 'cat /data/f')).toBe('safe')
    expect((await member.zun('DELETE', '/containers/steady?stop=true')).status).toBe(204)
  } finally {
    await cloud.start('cinder-api')
  }
  await isGone('steady')
  await eventually('the volume free', async () => (await statusOf(id)) === 'available', 120)
  await started('again', [{ source: 'steady', destination: '/data' }])
  expect(await shell('again', 'cat /data/f')).toBe('safe')
  await removed('again')
  await expectNoDevices()
})

test('kill -9 of the server in the middle of creates and deletes leaves no attachment and no volume', {
  timeout: 500_000,
}, async () => {
  const before = new Set((await volumes()).map(({ id }) => id))
  const kept = await aVolume('between')
  const names = Array.from({ length: 12 }, (_, at) => `dying-${at}`)
  const mounts = (at: number): Mounted[] =>
    at === 3 ? [{ source: 'between', destination: '/data' }] : [{ size: '1', destination: '/data' }]
  const acknowledged = new Set<string>()
  await whileServerDies(names, async (name, at) => {
    const { status, text } = await create(name, mounts(at))
    expect([202, 503], text).toContain(status)
    if (status === 202) acknowledged.add(name)
  })
  await eventually(
    'all that was acknowledged to run',
    async () => {
      const { text } = await member.zun('GET', '/containers?limit=1000')
      const there = (JSON.parse(text) as { containers: { name: string; status: string }[] }).containers
      const running = there.filter(({ status }) => status === 'Running').map(({ name }) => name)
      if ([...acknowledged].every((name) => running.includes(name))) return true
      throw new Error(text)
    },
    150,
  )
  await whileServerDies(names, async (name) => {
    await member.zun('DELETE', `/containers/${name}?stop=true`)
  })
  for (const name of names) {
    await eventually(
      `${name} to be gone`,
      async () => {
        const { status } = await member.zun('DELETE', `/containers/${name}?stop=true`)
        return status === 404
      },
      120,
    )
  }
  await eventually(
    'all volumes of nobody gone and the other one free',
    async () => {
      const left = (await volumes()).filter(({ id }) => !before.has(id) && id !== kept)
      if (left.length === 0 && (await statusOf(kept)) === 'available') return true
      throw new Error(JSON.stringify(left.map(({ name, status, metadata }) => ({ name, status, metadata }))))
    },
    120,
  )
  const attachments = await allOf(cinder.attachments.list({ all_tenants: true, project_id: project.id }, context()))
  const ours = new Set((await volumes()).map(({ id }) => id))
  expect(attachments.filter(({ volume_id }) => ours.has(volume_id))).toEqual([])
  await expectNoDevices()
})

/** Three requests at once, in whose middle the server dies and comes back. */
async function whileServerDies(
  names: readonly string[],
  ask: (name: string, at: number) => Promise<void>,
): Promise<void> {
  const left = [...names.entries()]
  let answered = 0
  let death: Promise<void> | null = null
  const dying = async () => {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 400))
    await gantry.server.kill9()
    await gantry.server.start()
  }
  const worker = async () => {
    for (let next = left.shift(); next; next = left.shift()) {
      const [at, name] = next
      const failed = await ask(name, at).then(
        () => false,
        (error: unknown) => {
          if (error instanceof TypeError) return true
          throw error
        },
      )
      answered += 1
      if (answered >= names.length / 3) death ??= dying()
      if (failed) await new Promise((resolve) => setTimeout(resolve, 300))
    }
  }
  await Promise.all([worker(), worker(), worker()])
  await (death ?? dying())
}
